//! A store in memory that counts calls, loses answers, and lets others be faster.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ees_core::{
    Changeset, Error, EventStore, Events, Expectation, NewChangeset, NewSet, Page, StorageError,
    StreamQuery, Written,
};
use ees_memory::MemoryStorage;
use ees_model::{Outcome, SetOutcome, Store};

/// What happens before a commit reaches the store.
pub(crate) enum Before {
    /// Somebody else commits these events, each as a changeset of its own, to a stream.
    Others(&'static str, Vec<String>),
    /// The commit is stored, and its answer is lost.
    LostAnswer,
}

#[derive(Clone)]
pub(crate) struct Watched {
    pub(crate) store: EventStore,
    reads: Arc<AtomicUsize>,
    commits: Arc<AtomicUsize>,
    before: Arc<Mutex<VecDeque<Before>>>,
}

impl Watched {
    pub(crate) fn new() -> Self {
        let storage = Arc::new(MemoryStorage::new());
        Self {
            store: EventStore::new(Arc::clone(&storage)).with_consumers(storage),
            reads: Arc::default(),
            commits: Arc::default(),
            before: Arc::default(),
        }
    }

    /// Each commit from now on takes one of these, while there are any.
    pub(crate) fn before(&self, what: impl IntoIterator<Item = Before>) {
        self.before.lock().unwrap().extend(what);
    }

    /// Pages that were read, and commits that were sent, since the last call.
    pub(crate) fn calls(&self) -> (usize, usize) {
        let taken = |count: &AtomicUsize| count.swap(0, Ordering::SeqCst);
        (taken(&self.reads), taken(&self.commits))
    }

    /// Appends events, each as a changeset of its own.
    pub(crate) async fn append(&self, stream: &str, events: &[String]) {
        for event in events {
            let stream_id = stream.parse().unwrap();
            let last = match self.store.head(&stream_id).await {
                Ok(head) => Expectation::from(&head),
                Err(_) => Expectation::NEW_STREAM,
            };
            let events = Events::parse(&format!("[{event}]")).unwrap();
            let asked = NewChangeset::new(stream_id, last, events);
            self.store.commit(asked).await.unwrap();
        }
    }

    /// What happens before a commit. Returns whether its answer is lost.
    async fn prepare(&self) -> bool {
        self.commits.fetch_add(1, Ordering::SeqCst);
        let before = self.before.lock().unwrap().pop_front();
        match before {
            Some(Before::Others(stream, events)) => self.append(stream, &events).await,
            Some(Before::LostAnswer) => return true,
            None => {}
        }
        false
    }
}

fn answered<T>(outcome: Result<T, Error>, is_lost: bool) -> Result<T, Error> {
    if is_lost {
        return Err(Error::Storage(StorageError::Unavailable {
            reason: "the answer was lost".to_owned(),
            written: Written::Unknown,
            retry_after: Duration::ZERO,
            source: None,
        }));
    }
    outcome
}

impl Store for Watched {
    type Error = Error;

    async fn changesets(&self, query: &StreamQuery) -> Result<Page<Changeset>, Error> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        Store::changesets(&self.store, query).await
    }

    async fn commit(&self, asked: NewChangeset) -> Result<Outcome, Error> {
        let is_lost = self.prepare().await;
        answered(Store::commit(&self.store, asked).await, is_lost)
    }

    async fn commit_all(&self, asked: NewSet) -> Result<SetOutcome, Error> {
        let is_lost = self.prepare().await;
        answered(Store::commit_all(&self.store, asked).await, is_lost)
    }

    fn retry_after(&self, error: &Error) -> Option<Duration> {
        error.retry_after()
    }
}
