//! A store in memory that counts calls, loses answers, and lets others be faster.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ees_core::consumer::{Ack, Claim, ConsumerName, Delivery};
use ees_core::{
    Changeset, CommitId, Error, EventStore, Events, Expectation, NewChangeset, NewSet, Page,
    StorageError, StreamId, StreamQuery, Written,
};
use ees_memory::MemoryStorage;
use ees_model::{Batches, Outcome, SetOutcome, Store, Streams};

use crate::account::Account;

/// What happens before a commit reaches the store.
pub(crate) enum Before {
    /// Somebody else commits these events, each as a changeset of its own, to a stream.
    Others(&'static str, Vec<String>),
    /// Somebody else commits an event to a stream, with a key.
    Keyed(&'static str, &'static str, String),
    /// The commit is stored, and its answer is lost.
    LostAnswer,
}

#[derive(Clone)]
pub(crate) struct Watched {
    pub(crate) store: EventStore,
    reads: Arc<AtomicUsize>,
    commits: Arc<AtomicUsize>,
    /// How many pages are read before the store fails.
    pages_left: Arc<AtomicUsize>,
    /// Changesets that were read.
    changesets: Arc<AtomicUsize>,
    /// Whether every call lets others run first.
    is_yielding: bool,
    /// Whether the lease of every batch ends at once, as the worker sees it.
    has_no_lease: bool,
    before: Arc<Mutex<VecDeque<Before>>>,
}

impl Watched {
    pub(crate) fn new() -> Self {
        let storage = Arc::new(MemoryStorage::new());
        Self {
            store: EventStore::new(Arc::clone(&storage)).with_consumers(storage),
            reads: Arc::default(),
            commits: Arc::default(),
            pages_left: Arc::new(AtomicUsize::new(usize::MAX)),
            changesets: Arc::default(),
            is_yielding: false,
            has_no_lease: false,
            before: Arc::default(),
        }
    }

    /// A store in which calls of several tasks take turns.
    pub(crate) fn yielding() -> Self {
        Self {
            is_yielding: true,
            ..Self::new()
        }
    }

    /// The same store, in which the lease of every batch ends at once, as the worker sees it.
    pub(crate) fn without_lease(&self) -> Self {
        Self {
            has_no_lease: true,
            ..self.clone()
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

    /// Changesets that were read since the last call.
    pub(crate) fn take_read(&self) -> usize {
        self.changesets.swap(0, Ordering::SeqCst)
    }

    /// The store fails after so many pages, until this is called again.
    pub(crate) fn fail_after(&self, pages: usize) {
        self.pages_left.store(pages, Ordering::SeqCst);
    }

    /// Appends one event so many times to a new stream, each as a changeset of its own.
    pub(crate) async fn append_at_once(&self, stream: &str, event: &str, times: u64) {
        let stream_id: StreamId = stream.parse().unwrap();
        let events = Events::parse(&format!("[{event}]")).unwrap();
        for last in 0..times {
            let last = Expectation::LastChangeset(last);
            let asked = NewChangeset::new(stream_id.clone(), last, events.clone());
            self.store.commit(asked).await.unwrap();
        }
    }

    /// Appends events, each as a changeset of its own.
    pub(crate) async fn append(&self, stream: &str, events: &[String]) {
        for event in events {
            self.append_with(stream, event, CommitId::generate()).await;
        }
    }

    async fn append_with(&self, stream: &str, event: &str, key: CommitId) {
        let stream_id = stream.parse().unwrap();
        let last = match self.store.head(&stream_id).await {
            Ok(head) => Expectation::from(&head),
            Err(_) => Expectation::NEW_STREAM,
        };
        let events = Events::parse(&format!("[{event}]")).unwrap();
        let asked = NewChangeset::new(stream_id, last, events).with_idempotency_key(key);
        self.store.commit(asked).await.unwrap();
    }

    async fn take_turns(&self) {
        if self.is_yielding {
            tokio::task::yield_now().await;
        }
    }

    /// What happens before a commit. Returns whether its answer is lost.
    async fn prepare(&self) -> bool {
        self.take_turns().await;
        self.commits.fetch_add(1, Ordering::SeqCst);
        let before = self.before.lock().unwrap().pop_front();
        match before {
            Some(Before::Others(stream, events)) => self.append(stream, &events).await,
            Some(Before::Keyed(stream, key, event)) => {
                self.append_with(stream, &event, key.parse().unwrap()).await;
            }
            Some(Before::LostAnswer) => return true,
            None => {}
        }
        false
    }
}

/// The accounts in a store that is watched.
pub(crate) fn accounts(store: &Watched) -> Streams<Account, Watched> {
    Streams::new(store)
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
        if self.pages_left.fetch_sub(1, Ordering::SeqCst) == 0 {
            return Err(StorageError::Corrupt("the disk is broken".to_owned()).into());
        }
        self.take_turns().await;
        let page = Store::changesets(&self.store, query).await?;
        self.changesets
            .fetch_add(page.items.len(), Ordering::SeqCst);
        Ok(page)
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

impl Batches for Watched {
    async fn claim(
        &self,
        consumer: &ConsumerName,
        claim: Claim,
        wait: Duration,
    ) -> Result<Option<Delivery>, Error> {
        let mut claimed = self.store.claim(consumer, claim, wait).await?;
        if let Some(batch) = claimed.as_mut().filter(|_| self.has_no_lease) {
            batch.lease = Duration::ZERO;
        }
        Ok(claimed)
    }

    async fn acknowledge(
        &self,
        consumer: &ConsumerName,
        partition: u16,
        ack: &Ack,
    ) -> Result<bool, Error> {
        self.store.acknowledge(consumer, partition, ack).await
    }
}
