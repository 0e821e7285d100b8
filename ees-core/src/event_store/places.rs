//! Where the events of large changesets are in their texts.
//!
//! A page of events may begin inside a changeset. To find that place in a text of JSON, the text is
//! walked over. What a walk finds is remembered, so that paging through a large changeset does not walk
//! over its front again for each page.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::payload::Elements;
use crate::{Changeset, ChangesetId, CommitId, Event, StreamId};

/// The place of each such event is remembered.
const STRIDE: u64 = 1024;

/// How many changesets are remembered: those that were met last.
const CHANGESETS: usize = 64;

/// The places in large changesets.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<VecDeque<Known>>);

/// What is known of a changeset, which never changes.
#[derive(Debug)]
struct Known {
    of: Identity,
    /// How many bytes are left at each event whose index is a multiple of the stride, from the second.
    left: Vec<usize>,
}

/// Says which changeset it is, also after the store was replaced by another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Identity {
    stream_id: StreamId,
    changeset_id: ChangesetId,
    commit_id: CommitId,
    bytes: usize,
}

/// The events of a changeset from an index on.
pub(super) struct Walk<'a> {
    changeset: &'a Changeset,
    rest: Elements<'a>,
    index: u64,
    /// How many events were walked over to find the first one.
    #[cfg(test)]
    skipped: u64,
}

impl Places {
    /// The events of a changeset from an index on.
    pub(super) fn walk<'a>(&self, changeset: &'a Changeset, from: u64) -> Walk<'a> {
        if from < STRIDE {
            return Walk::over(
                changeset,
                changeset.events.elements(None),
                0,
                from,
                |_, _| {},
            );
        }
        let of = Identity::of(changeset);
        let mut left = self.take(&of).unwrap_or_default();
        let nearest = usize::try_from(from / STRIDE).unwrap_or(usize::MAX);
        let nearest = nearest.min(left.len());
        let begin = nearest.checked_sub(1).and_then(|at| left.get(at).copied());
        let rest = changeset.events.elements(begin);
        let walk = Walk::over(
            changeset,
            rest,
            nearest as u64 * STRIDE,
            from,
            |index, rest| {
                if index == (left.len() as u64 + 1) * STRIDE {
                    left.push(rest);
                }
            },
        );
        self.keep(Known { of, left });
        walk
    }

    fn take(&self, of: &Identity) -> Option<Vec<usize>> {
        let mut known = self.lock();
        let at = known.iter().position(|known| known.of == *of)?;
        known.remove(at).map(|known| known.left)
    }

    fn keep(&self, new: Known) {
        let mut known = self.lock();
        // Another reader may have walked at the same time.
        known.retain(|known| known.of != new.of);
        known.truncate(CHANGESETS - 1);
        known.push_front(new);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Identity {
    fn of(changeset: &Changeset) -> Self {
        Self {
            stream_id: changeset.stream_id.clone(),
            changeset_id: changeset.changeset_id,
            commit_id: changeset.commit_id.clone(),
            bytes: changeset.events.as_str().len(),
        }
    }
}

impl<'a> Walk<'a> {
    /// Walks from the event that `rest` begins with to the first one. Tells each index on the way and
    /// how many bytes are left there.
    fn over(
        changeset: &'a Changeset,
        mut rest: Elements<'a>,
        begin: u64,
        from: u64,
        mut tell: impl FnMut(u64, usize),
    ) -> Self {
        let mut index = begin;
        while index < from && rest.next().is_some() {
            index += 1;
            tell(index, rest.left());
        }
        Self {
            changeset,
            rest,
            index,
            #[cfg(test)]
            skipped: index - begin,
        }
    }
}

impl Iterator for Walk<'_> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        let event = self.changeset.event(self.index, self.rest.next()?);
        self.index += 1;
        event
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{EventId, Events, Json, Timestamp};

    fn changeset(events: u64, commit_id: &str) -> Changeset {
        let events: Vec<u64> = (0..events).collect();
        let events = Events::of(&events).unwrap();
        Changeset {
            stream_id: "s".parse().unwrap(),
            changeset_id: ChangesetId::FIRST,
            first_event_id: EventId::FIRST,
            last_event_id: EventId::new(events.count()).unwrap(),
            timestamp: Timestamp::from_micros(0).unwrap(),
            commit_id: CommitId::new(commit_id).unwrap(),
            set: None,
            events,
            metadata: Json::default(),
            checkpoint: None,
        }
    }

    /// The indices of a page, and how many events were walked over before it.
    fn page(places: &Places, changeset: &Changeset, from: u64, items: usize) -> (Vec<u64>, u64) {
        let walk = places.walk(changeset, from);
        let skipped = walk.skipped;
        let page = walk.take(items).inspect(|event| {
            assert_eq!(event.data.as_str(), event.index.to_string());
            assert_eq!(event.event_id.get(), event.index + 1);
        });
        (page.map(|event| event.index).collect(), skipped)
    }

    #[test]
    fn paging_through_a_large_changeset_walks_over_little_more_than_it() {
        const EVENTS: u64 = 100_000;
        let (large, places) = (changeset(EVENTS, "c"), Places::default());
        let (mut next, mut walked) = (0, 0);
        while next < EVENTS {
            let (found, skipped) = page(&places, &large, next, 100);
            assert_eq!(found[0], next);
            walked += skipped + found.len() as u64;
            next += found.len() as u64;
        }
        // From the remembered place before each of the 1,000 pages. Without places it would be 50 million.
        assert!(walked < EVENTS + 1000 * STRIDE, "{walked} events");
        let (_, backward) = page(&places, &large, 50_000, 1);
        assert!(backward < STRIDE, "{backward} events");
    }

    #[test]
    fn few_changesets_are_remembered() {
        let places = Places::default();
        for commit in 0..200 {
            let large = changeset(2000, &format!("c{commit}"));
            assert_eq!(page(&places, &large, 1500, 3).0, [1500, 1501, 1502]);
        }
        assert_eq!(places.lock().len(), CHANGESETS);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(50))]

        /// Whatever was read before, in changesets that are alike.
        #[test]
        fn a_page_begins_where_it_should(
            sizes in prop::collection::vec(1..5000_u64, 1..4),
            reads in prop::collection::vec((0..4_usize, 0..6000_u64), 1..20),
        ) {
            let places = Places::default();
            let all = (0..).zip(&sizes).map(|(at, size)| changeset(*size, &format!("c{at}")));
            let all: Vec<Changeset> = all.collect();
            for (at, from) in reads {
                let changeset = &all[at % all.len()];
                let end = changeset.events.count();
                let expected: Vec<u64> = (from..end.min(from + 5)).collect();
                prop_assert_eq!(page(&places, changeset, from, 5).0, expected);
            }
        }
    }
}
