//! A plain model of an event store.
//!
//! It shares nothing with the core: lists are scanned, not indexed, and every rule is written as
//! the contract words it. Its answers are the subject's own types, less what only a real store
//! knows: times and positions, which [`bare`] takes out of a store's answer, and messages.

use serde_json::value::RawValue;

use crate::subject::{Ask, Changeset, Event, Expect, Failure, Page, Read};

/// A store as a list of what was committed.
#[derive(Debug, Default)]
pub struct Model {
    /// In the order of their commits.
    log: Vec<Stored>,
}

#[derive(Debug)]
struct Stored {
    changeset: Changeset,
    key: Option<String>,
}

/// An answer: the model's failures have a code and, with a conflict, what came.
pub type Answer<T> = Result<T, Refusal>;

/// Why the model refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The wire contract's code.
    pub code: String,
    /// What came after the expectation.
    pub forthcoming: Option<Page<Changeset>>,
}

/// The end of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct End {
    /// The last changeset's id.
    pub changeset: u64,
    /// The last event's id.
    pub event: u64,
}

impl Model {
    /// Commits what is well-formed: the model does not look for bad input.
    ///
    /// # Errors
    /// A conflict, an expectation ahead, or a key that was used for something else.
    pub fn commit(&mut self, ask: &Ask) -> Answer<Changeset> {
        if let Some(key) = ask.key.as_ref().filter(|key| is_clients(key)) {
            let has_key =
                |c: &&Stored| c.changeset.stream == ask.stream && c.key.as_ref() == Some(key);
            if let Some(stored) = self.log.iter().find(has_key) {
                return repeated(ask, &stored.changeset);
            }
        }
        let end = self.end(&ask.stream).unwrap_or_default();
        let (expected, actual) = match ask.expect {
            Expect::Changeset(last) => (last, end.changeset),
            Expect::Event(last) => (last, end.event),
        };
        if expected > actual {
            return refuse("INVALID_EXPECTED_CHANGESET_ID");
        }
        if expected < actual {
            return self.answer_outdated(ask);
        }
        let changeset = Changeset {
            stream: ask.stream.clone(),
            changeset_id: end.changeset + 1,
            first_event_id: end.event + 1,
            last_event_id: end.event + values(&ask.events).len() as u64,
            timestamp: String::new(),
            events: ask.events.clone(),
            metadata: metadata(ask),
            checkpoint: None,
            idempotency_key: ask.key.clone().filter(|key| is_clients(key)),
        };
        self.log.push(Stored {
            changeset: changeset.clone(),
            key: ask.key.clone(),
        });
        Ok(changeset)
    }

    /// The end of a stream, if it exists.
    pub fn end(&self, stream: &str) -> Option<End> {
        self.stream(stream).last().map(|last| End {
            changeset: last.changeset_id,
            event: last.last_event_id,
        })
    }

    /// A page of a stream's changesets.
    ///
    /// # Errors
    /// The stream does not exist.
    pub fn changesets(&self, stream: &str, read: &Read) -> Answer<Page<Changeset>> {
        self.must_exist(stream)?;
        Ok(cut(self.stream(stream), read, |c| c.changeset_id))
    }

    /// A page of a stream's events.
    ///
    /// # Errors
    /// The stream does not exist.
    pub fn events(&self, stream: &str, read: &Read) -> Answer<Page<Event>> {
        self.must_exist(stream)?;
        let data = self
            .stream(stream)
            .into_iter()
            .flat_map(|c| values(&c.events));
        let events = (1..).zip(data).map(|(id, data)| Event { id, data });
        Ok(cut(events.collect(), read, |event| event.id))
    }

    /// All changesets of one stream.
    pub fn stream(&self, stream: &str) -> Vec<Changeset> {
        let all = self.log().into_iter();
        all.filter(|changeset| changeset.stream == stream).collect()
    }

    /// All changesets, in the order of their commits.
    pub fn log(&self) -> Vec<Changeset> {
        let all = self.log.iter();
        all.map(|stored| stored.changeset.clone()).collect()
    }

    /// What directly follows the expectation may be this very commit; otherwise it is a conflict.
    fn answer_outdated(&self, ask: &Ask) -> Answer<Changeset> {
        let follows = |changeset: &Changeset| match ask.expect {
            Expect::Changeset(last) => changeset.changeset_id == last + 1,
            Expect::Event(last) => changeset.first_event_id == last + 1,
        };
        let same_commit = self.log.iter().find(|stored| {
            stored.changeset.stream == ask.stream
                && follows(&stored.changeset)
                && ask.key.is_some()
                && stored.key == ask.key
        });
        match same_commit {
            Some(stored) => repeated(ask, &stored.changeset),
            None => Err(Refusal {
                code: "OPTIMISTIC_CONCURRENCY_EXCEPTION".to_owned(),
                forthcoming: Some(self.forthcoming(ask)),
            }),
        }
    }

    fn forthcoming(&self, ask: &Ask) -> Page<Changeset> {
        let mut items = self.stream(&ask.stream);
        items.retain(|changeset| match ask.expect {
            Expect::Changeset(last) => changeset.changeset_id > last,
            Expect::Event(last) => changeset.last_event_id > last,
        });
        Page { items, next: None }
    }

    fn must_exist(&self, stream: &str) -> Answer<End> {
        match self.end(stream) {
            Some(end) => Ok(end),
            None => refuse("STREAM_NOT_FOUND"),
        }
    }
}

/// Whether a key is a client's, and not one that the store made.
fn is_clients(key: &str) -> bool {
    !key.starts_with("ees-")
}

/// The answer to a commit whose key a changeset has.
fn repeated(ask: &Ask, found: &Changeset) -> Answer<Changeset> {
    if found.events == ask.events && found.metadata == metadata(ask) {
        return Ok(found.clone());
    }
    refuse("IDEMPOTENCY_KEY_REUSED")
}

/// A store's changeset without what the model does not know: time, position, and a key that the
/// store made.
#[must_use]
pub fn bare(changeset: Changeset) -> Changeset {
    Changeset {
        timestamp: String::new(),
        checkpoint: None,
        idempotency_key: changeset.idempotency_key.filter(|key| is_clients(key)),
        ..changeset
    }
}

/// A store's page without what the model does not know.
#[must_use]
pub fn bare_page(page: Page<Changeset>) -> Page<Changeset> {
    Page {
        items: page.items.into_iter().map(bare).collect(),
        ..page
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self {
            code: failure.code,
            forthcoming: failure.forthcoming.map(bare_page),
        }
    }
}

fn refuse<T>(code: &str) -> Answer<T> {
    Err(Refusal {
        code: code.to_owned(),
        forthcoming: None,
    })
}

fn metadata(ask: &Ask) -> String {
    ask.metadata.clone().unwrap_or_else(|| "{}".to_owned())
}

fn values(array: &str) -> Vec<String> {
    let values: Vec<&RawValue> = serde_json::from_str(array).expect("a JSON array");
    values.iter().map(|value| value.get().to_owned()).collect()
}

/// The part of a list that a read asks for.
fn cut<T>(mut items: Vec<T>, read: &Read, id: impl Fn(&T) -> u64) -> Page<T> {
    let range = read.from.unwrap_or(0)..=read.to.unwrap_or(u64::MAX);
    items.retain(|item| range.contains(&id(item)));
    if read.backward {
        items.reverse();
    }
    let limit = read.limit.map_or(items.len(), |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    });
    let next = items.get(limit).map(&id);
    items.truncate(limit);
    Page { items, next }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(last: u64, events: &str) -> Ask {
        Ask::new("s", Expect::Changeset(last)).events(events)
    }

    #[test]
    fn commits_count_up_and_conflicts_tell_what_came() {
        let mut model = Model::default();
        assert_eq!(model.commit(&ask(0, "[1,2]")).unwrap().last_event_id, 2);
        assert_eq!(model.commit(&ask(1, "[3]")).unwrap().first_event_id, 3);
        let refusal = model.commit(&ask(1, "[4]")).unwrap_err();
        assert_eq!(refusal.forthcoming.unwrap().items, model.stream("s")[1..]);
        let ahead = model.commit(&ask(3, "[4]")).unwrap_err();
        assert_eq!(ahead.code, "INVALID_EXPECTED_CHANGESET_ID");
    }

    #[test]
    fn a_repeat_by_key_answers_as_the_first() {
        let mut model = Model::default();
        let first = model.commit(&ask(0, "[1]").key("k")).unwrap();
        model.commit(&ask(1, "[2]")).unwrap();
        assert_eq!(model.commit(&ask(0, "[1]").key("k")).unwrap(), first);
        let reused = model.commit(&ask(0, "[9]").key("k")).unwrap_err();
        assert_eq!(reused.code, "IDEMPOTENCY_KEY_REUSED");
        let elsewhere = model.commit(&ask(9, "[1]").key("k")).unwrap();
        assert_eq!(elsewhere, first, "whatever it expects");
        assert_eq!(model.log().len(), 2);
    }

    #[test]
    fn a_key_of_the_store_counts_at_its_place_only() {
        let mut model = Model::default();
        let first = model.commit(&ask(0, "[1]").key("ees-1")).unwrap();
        assert_eq!(model.commit(&ask(0, "[1]").key("ees-1")).unwrap(), first);
        let next = model.commit(&ask(1, "[1]").key("ees-1")).unwrap();
        assert_eq!(next.changeset_id, 2);
    }

    #[test]
    fn pages_are_cut_at_both_ends() {
        let mut model = Model::default();
        model.commit(&ask(0, "[1,2,3]")).unwrap();
        model.commit(&ask(1, "[4,5]")).unwrap();
        let read = |from, to, limit, backward| Read {
            from: Some(from),
            to: Some(to),
            limit,
            backward,
            ..Read::default()
        };
        let page = model.events("s", &read(2, 4, Some(2), true)).unwrap();
        let ids: Vec<u64> = page.items.iter().map(|event| event.id).collect();
        assert_eq!((ids, page.next), (vec![4, 3], Some(2)));
        let page = model.changesets("s", &read(0, 9, None, false)).unwrap();
        assert_eq!((page.items.len(), page.next), (2, None));
        assert!(model.events("t", &Read::default()).is_err());
    }
}
