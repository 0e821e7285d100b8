//! A store in the same process: the use cases over an adapter.

mod codes;

use std::sync::Arc;

use async_trait::async_trait;
use ees_core::{
    Checkpoint, CommitId, Direction, Error, EventCheckpoint, EventStore, Events, Expectation, Json,
    MAX_ID, NewChangeset, NewSet, PageLimit, Projector, Receipt, StorageError, StreamId,
    StreamQuery, StreamRange,
};

use super::{
    Ask, AskSet, Changeset, Committed, Event, Expect, Failure, Filter, GlobalEvent,
    GlobalEventPage, GlobalPage, GlobalRead, Head, Page, Read, Statistics, Subject, Unmet,
};
use crate::Adapter;
use crate::running::waits_for;

/// An adapter under [`EventStore`].
#[derive(Debug)]
pub struct Direct {
    store: EventStore,
}

impl Direct {
    /// The store over an adapter.
    pub fn new<A: Adapter>(adapter: Arc<A>) -> Arc<Self> {
        Self::over(EventStore::new(adapter))
    }

    pub(crate) fn over(store: EventStore) -> Arc<Self> {
        Arc::new(Self { store })
    }

    fn filtered(&self, wanted: &Filter) -> EventStore {
        let prefixes = wanted.stream_prefixes.iter();
        let filter = prefixes.fold(ees_core::Filter::default(), ees_core::Filter::stream_prefix);
        let types = wanted.event_types.iter();
        self.store
            .with_filter(types.fold(filter, ees_core::Filter::event_type))
    }
}

#[async_trait]
impl Subject for Direct {
    async fn commit(&self, ask: &Ask) -> Result<Committed, Failure> {
        let _wait = waits_for(format!("a commit to `{}` is answered", ask.stream));
        let receipt = self.store.commit(new_changeset(ask)?).await?;
        Ok(committed(&receipt))
    }

    async fn commit_all(&self, ask: &AskSet) -> Result<Vec<Committed>, Failure> {
        let _wait = waits_for(format!(
            "a set of {} commits is answered",
            ask.commits.len()
        ));
        let mut set = NewSet::default();
        for commit in &ask.commits {
            let key = None;
            let commit = Ask {
                key,
                ..commit.clone()
            };
            set = set.commit(new_changeset(&commit)?);
        }
        for (stream, expect) in &ask.checks {
            set = set.check(stream_id(stream)?, expectation(*expect));
        }
        if let Some(key) = &ask.key {
            set = set.with_idempotency_key(commit_id(key)?);
        }
        let receipts = self.store.commit_all(set).await?;
        Ok(receipts.iter().map(committed).collect())
    }

    async fn head(&self, stream: &str) -> Result<Head, Failure> {
        let _wait = waits_for(format!("a read of the head of `{stream}` is answered"));
        let head = self.store.head(&stream_id(stream)?).await?;
        Ok(Head {
            last_changeset: head.last_changeset.get(),
            last_event: head.last_event.get(),
            last_timestamp: head.last_timestamp.to_string(),
        })
    }

    async fn changesets(&self, stream: &str, read: &Read) -> Result<Page<Changeset>, Failure> {
        let _wait = waits_for(format!("a read of `{stream}` is answered"));
        let query = query(stream, read, StreamRange::Changesets)?;
        let page = self.store.await_stream_changesets(&query, read.wait);
        let page = page.await?;
        Ok(changesets(&page, read.backward))
    }

    async fn events(&self, stream: &str, read: &Read) -> Result<Page<Event>, Failure> {
        let _wait = waits_for(format!("a read of events of `{stream}` is answered"));
        let query = query(stream, read, StreamRange::Events)?;
        let page = self.store.await_stream_events(&query, read.wait).await?;
        let items: Vec<Event> = page.items.iter().map(event).collect();
        let last = items.last().map(|event| event.id);
        Ok(Page {
            next: next(last, page.more, read.backward),
            items,
        })
    }

    async fn global_changesets(&self, read: &GlobalRead<u64>) -> Result<GlobalPage, Failure> {
        let _wait = waits_for(format!(
            "a read of the global order from {} is answered",
            read.checkpoint
        ));
        let from = Checkpoint::new(read.checkpoint).unwrap();
        let limit = global_limit(read.limit);
        let store = self.filtered(&read.filter);
        let page = if read.backward {
            store.global_changesets_before(from, limit).await?
        } else {
            store.await_changesets(from, limit, read.wait).await?
        };
        Ok(GlobalPage {
            changesets: page.changesets.iter().map(changeset).collect(),
            next_checkpoint: page.next.get(),
        })
    }

    async fn global_events(
        &self,
        read: &GlobalRead<(u64, u64)>,
    ) -> Result<GlobalEventPage, Failure> {
        let (changeset, index) = read.checkpoint;
        let from = EventCheckpoint {
            changeset: Checkpoint::new(changeset).unwrap(),
            index,
        };
        let limit = global_limit(read.limit);
        let store = self.filtered(&read.filter);
        let page = if read.backward {
            store.global_events_before(from, limit).await?
        } else {
            store.await_events(from, limit, read.wait).await?
        };
        let position = |position: EventCheckpoint| (position.changeset.get(), position.index);
        let events = page.events.into_iter().map(|global| GlobalEvent {
            stream: global.stream_id.to_string(),
            changeset_id: global.event.changeset_id.get(),
            event_id: global.event.event_id.get(),
            data: global.event.data.as_str().to_owned(),
            checkpoint: position(global.checkpoint),
        });
        Ok(GlobalEventPage {
            events: events.collect(),
            next_checkpoint: position(page.next),
        })
    }

    async fn next_checkpoint(&self) -> Result<u64, Failure> {
        Ok(self.store.next_checkpoint().await?.get())
    }

    async fn statistics_at(&self, version: u64) -> Result<Statistics, Failure> {
        Projector::new(&self.store).catch_up().await?;
        let statistics = self.store.statistics().await?;
        assert!(
            statistics.version.get() >= version,
            "G13: the projector stopped at {}, before {version}",
            statistics.version
        );
        Ok(Statistics {
            total_streams: statistics.total_streams,
            total_changesets: statistics.total_changesets,
            total_events: statistics.total_events,
            max_stream_length: statistics.max_stream_length,
            version: statistics.version.get(),
        })
    }
}

fn new_changeset(ask: &Ask) -> Result<NewChangeset, Failure> {
    let payload =
        |error: ees_core::PayloadError| Failure::new(codes::of_payload(&error), error.to_string());
    let events = Events::parse(&ask.events).map_err(payload)?;
    let mut asked = NewChangeset::new(stream_id(&ask.stream)?, expectation(ask.expect), events);
    if let Some(metadata) = &ask.metadata {
        asked = asked.with_metadata(Json::parse(metadata).map_err(payload)?);
    }
    if let Some(key) = &ask.key {
        asked = asked.with_idempotency_key(commit_id(key)?);
    }
    Ok(asked)
}

fn expectation(expect: Expect) -> Expectation {
    match expect {
        Expect::Changeset(last) => Expectation::LastChangeset(last),
        Expect::Event(last) => Expectation::LastEvent(last),
    }
}

fn commit_id(key: &str) -> Result<CommitId, Failure> {
    CommitId::new(key).map_err(|error| Failure::new(codes::OF_KEY, error.to_string()))
}

fn stream_id(stream: &str) -> Result<StreamId, Failure> {
    StreamId::new(stream)
        .map_err(|error| Failure::new(codes::of_stream_id(&error), error.to_string()))
}

fn query(
    stream: &str,
    read: &Read,
    range: impl Fn(std::ops::RangeInclusive<u64>) -> StreamRange,
) -> Result<StreamQuery, Failure> {
    let direction = if read.backward {
        Direction::Backward
    } else {
        Direction::Forward
    };
    Ok(StreamQuery::all(stream_id(stream)?)
        .range(range(read.from.unwrap_or(0)..=read.to.unwrap_or(MAX_ID)))
        .direction(direction)
        .limit(read.limit.map_or_else(PageLimit::default, items)))
}

fn global_limit(limit: Option<u64>) -> PageLimit {
    items(limit.unwrap_or(10))
}

fn items(limit: u64) -> PageLimit {
    PageLimit::items(usize::try_from(limit).unwrap_or(usize::MAX))
}

fn changesets(page: &ees_core::Page<ees_core::Changeset>, backward: bool) -> Page<Changeset> {
    let items: Vec<Changeset> = page.items.iter().map(changeset).collect();
    let last = items.last().map(|changeset| changeset.changeset_id);
    Page {
        next: next(last, page.more, backward),
        items,
    }
}

fn next(last: Option<u64>, more: bool, backward: bool) -> Option<u64> {
    let last = last.filter(|_| more)?;
    Some(if backward { last - 1 } else { last + 1 })
}

fn committed(receipt: &Receipt) -> Committed {
    Committed {
        stream: receipt.stream_id.to_string(),
        changeset_id: receipt.changeset_id.get(),
        first_event_id: receipt.first_event_id.get(),
        last_event_id: receipt.last_event_id.get(),
        timestamp: receipt.timestamp.to_string(),
        checkpoint: receipt.checkpoint.map(Checkpoint::get),
        replayed: receipt.replayed,
    }
}

fn unmet(unmet: &ees_core::Unmet) -> Unmet {
    let (last_changeset, last_event) = unmet.head.map_or((0, 0), |head| {
        (head.last_changeset.get(), head.last_event.get())
    });
    Unmet {
        stream: unmet.stream_id.to_string(),
        last_changeset,
        last_event,
        forthcoming: Page {
            items: unmet.forthcoming.items.iter().map(changeset).collect(),
            next: unmet.next(),
        },
    }
}

fn changeset(changeset: &ees_core::Changeset) -> Changeset {
    Changeset {
        stream: changeset.stream_id.to_string(),
        changeset_id: changeset.changeset_id.get(),
        first_event_id: changeset.first_event_id.get(),
        last_event_id: changeset.last_event_id.get(),
        timestamp: changeset.timestamp.to_string(),
        events: changeset.events.as_str().to_owned(),
        metadata: changeset.metadata.as_str().to_owned(),
        checkpoint: changeset.checkpoint.map(Checkpoint::get),
        idempotency_key: Some(changeset.commit_id.to_string()).filter(|key| key != CommitId::NONE),
    }
}

fn event(event: &ees_core::Event) -> Event {
    Event {
        id: event.event_id.get(),
        data: event.data.as_str().to_owned(),
    }
}

impl Failure {
    fn new(code: &str, message: String) -> Self {
        Self {
            code: code.to_owned(),
            message,
            forthcoming: None,
            has_the_key: None,
            conflicts: None,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let mut failure = Self::new(codes::of(&error), error.to_string());
        match error {
            Error::Conflict(conflict) => {
                failure.forthcoming = Some(changesets(&conflict.forthcoming, false));
            }
            Error::SetConflict(conflict) => {
                failure.conflicts = Some(conflict.unmet.iter().map(unmet).collect());
            }
            Error::IdempotencyKeyReused(found) => {
                failure.has_the_key = Some(Box::new(changeset(&found)));
            }
            _ => {}
        }
        failure
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Error::from(error).into()
    }
}
