//! A stream, and commits to it that fail.

use std::sync::Arc;

use ees_core::{
    CommitId, Error, EventStore, Events, Expectation, NewChangeset, Receipt, StorageError,
    StreamId, Written,
};

use crate::subject::{Ask, Changeset, Expect, unique};
use crate::support::{
    AHEAD, GLOBAL_LIMIT, end_of_log, fill, head, log, of_streams, refused, store_over, stream,
    within,
};
use crate::{AdapterHarness, WriteFault, WriteFaults};

/// The number of changesets in a scene's stream before the fault.
pub(super) const BEFORE: u64 = 2;

/// The answer to a commit.
#[derive(Debug)]
pub(super) enum Told {
    /// It is stored.
    Stands(Receipt),
    /// Nothing was written.
    Nothing,
    /// It may be stored.
    Unknown,
    /// It conflicts with these changesets.
    Conflict(Vec<ees_core::Changeset>),
    /// The storage holds what it never should; nothing was written.
    Corrupt(String),
}

/// A stream, and an adapter whose writes can be made to fail.
pub(super) struct Scene {
    faults: Arc<dyn WriteFaults>,
    store: EventStore,
    pub(super) name: String,
    /// Where the global order ended before.
    pub(super) start: u64,
}

impl Scene {
    pub(super) async fn set(harness: &dyn AdapterHarness) -> Self {
        let subject = harness.subject();
        let (start, name) = (end_of_log(&*subject).await, unique("faulty"));
        fill(&*subject, &name, &[1, 1]).await;
        Self {
            faults: harness.faults().expect("G10: a harness that makes faults"),
            store: store_over(harness.storage()),
            name,
            start,
        }
    }

    /// The same over a store that was restarted.
    pub(super) fn again(self, harness: &dyn AdapterHarness) -> Self {
        Self {
            faults: harness.faults().expect("G10: a harness that makes faults"),
            store: store_over(harness.storage()),
            ..self
        }
    }

    pub(super) async fn begin(&self, fault: WriteFault) {
        self.faults.begin(fault).await;
    }

    pub(super) async fn end(&self) {
        self.faults.end().await;
    }

    /// Asks for the stream's next changeset, with a key that is also its content.
    pub(super) async fn ask(&self, key: &str) -> Told {
        told(&self.store, &self.name, BEFORE, key).await
    }

    /// Checks that the answer to a commit matches the stored changesets.
    pub(super) async fn assert_true(&self, harness: &dyn AdapterHarness, told: &Told) {
        let stands = stream(&*harness.subject(), &self.name).await;
        self.assert_head(harness, &stands).await;
        let stands = stands.iter().find(|c| c.changeset_id > BEFORE);
        match told {
            Told::Stands(receipt) => {
                let found = stands.map(|c| c.timestamp.clone());
                let told = Some(receipt.timestamp.to_string());
                assert_eq!(found, told, "G10: a reported changeset is stored");
            }
            Told::Nothing => assert!(
                stands.is_none(),
                "G10: after the answer `Written::None` nothing is stored, but \
                 this is: {stands:?}"
            ),
            Told::Corrupt(said) => assert!(
                stands.is_none(),
                "G10: after any error but `Unavailable` nothing is stored, but this is: \
                 {stands:?}; the error was: {said}"
            ),
            Told::Unknown => {}
            Told::Conflict(others) => {
                panic!("G10: a failed commit does not conflict, but the answer listed {others:?}")
            }
        }
    }

    /// Checks that a repeat was answered, and that its commit is stored once.
    pub(super) async fn assert_stands_once(&self, harness: &dyn AdapterHarness, told: &Told) {
        let Told::Stands(receipt) = told else {
            panic!("G10: a repeat is answered with its changeset, but the answer was {told:?}");
        };
        let id = receipt.changeset_id.get();
        assert_eq!(
            id,
            BEFORE + 1,
            "G10: a repeat gets the changeset id of the first try"
        );
        self.assert_true(harness, told).await;
        let stands = stream(&*harness.subject(), &self.name).await.len() as u64;
        assert_eq!(stands, BEFORE + 1, "G10: a repeated commit is stored once");
        harness.settle().await;
        let order = log(&*harness.subject(), self.start, GLOBAL_LIMIT).await;
        let placed = of_streams(&order, std::slice::from_ref(&self.name)).len() as u64;
        assert_eq!(
            placed,
            BEFORE + 1,
            "G10: a repeated commit is once in the global order"
        );
    }

    /// The head is that of what stands, and what lies beyond is ahead.
    async fn assert_head(&self, harness: &dyn AdapterHarness, stands: &[Changeset]) {
        let subject = harness.subject();
        let head = head(&*subject, &self.name).await.last_changeset;
        let last = stands.last().map_or(0, |c| c.changeset_id);
        assert_eq!(head, last, "G2: the head is the last stored changeset");
        let ahead = Ask::new(&self.name, Expect::Changeset(last + 1));
        refused(&*subject, &ahead, AHEAD).await;
    }
}

/// Asks for a commit with a key that is also its content.
pub(super) async fn told(store: &EventStore, name: &str, last: u64, key: &str) -> Told {
    let stream = StreamId::new(name).expect("a stream id");
    let events = Events::of(&[key]).expect("events");
    let asked = NewChangeset::new(stream, Expectation::LastChangeset(last), events)
        .with_idempotency_key(CommitId::new(key).expect("a key"));
    let answer = within(
        "G8: a commit whose write fails is answered",
        store.commit(asked),
    );
    match answer.await {
        Ok(receipt) => Told::Stands(receipt),
        Err(Error::Conflict(conflict)) => Told::Conflict(conflict.forthcoming.items),
        Err(Error::Storage(error @ StorageError::Corrupt(_))) => Told::Corrupt(error.to_string()),
        Err(Error::Storage(error)) => match error.written() {
            Written::None => Told::Nothing,
            Written::Unknown => Told::Unknown,
        },
        Err(error) => {
            panic!("G10: a failed write is reported as a storage error, but the error is: {error}")
        }
    }
}
