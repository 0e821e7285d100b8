//! A store with consumers, whose clock a case moves.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use ees_core::adapter::ConsumerStore;
use ees_core::consumer::{
    Ack, Claim, ConsumerDefinition, ConsumerError, ConsumerName, Consumers, Delivery, Failure,
};
use ees_core::{
    Changeset, Checkpoint, Clock, Error, EventStore, Events, Expectation, NewChangeset,
    SystemClock, Timestamp,
};
use futures_util::future::BoxFuture;

use crate::support::store_over;
use crate::{Adapter, ConsumerHarness};

/// A clock that a case moves on.
#[derive(Debug, Default)]
pub(super) struct Ahead(AtomicI64);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        let ahead = self.0.load(Ordering::Relaxed);
        let now = SystemClock.now().as_micros() + ahead;
        Timestamp::from_micros(now).expect("a time")
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        SystemClock.sleep(duration)
    }
}

/// A store with one consumer.
pub(super) struct Scene {
    pub(super) store: EventStore,
    pub(super) consumers: Consumers,
    pub(super) name: ConsumerName,
    clock: Arc<Ahead>,
    lengths: std::sync::Mutex<BTreeMap<String, u64>>,
}

impl Scene {
    pub(super) async fn new(
        harness: &dyn ConsumerHarness,
        definition: &ConsumerDefinition,
    ) -> Self {
        Self::over(harness.storage(), harness, definition).await
    }

    /// The same over a storage that differs from the harness's.
    pub(super) async fn over(
        storage: Arc<dyn Adapter>,
        harness: &dyn ConsumerHarness,
        definition: &ConsumerDefinition,
    ) -> Self {
        let clock = Arc::new(Ahead::default());
        let store = store_over(storage)
            .with_consumers(harness.consumers())
            .with_clock(Arc::clone(&clock) as Arc<dyn Clock>)
            .with_poll_interval(Duration::from_millis(50));
        let consumers = store.consumers().expect("G16: consumers");
        let name: ConsumerName = "billing".parse().expect("a name");
        let new = consumers.define(&name, definition).await;
        assert!(new.expect("G16: to define a consumer"), "G16: it is new");
        Self {
            store,
            consumers,
            name,
            clock,
            lengths: std::sync::Mutex::default(),
        }
    }

    /// The same after a restart.
    pub(super) fn reopened(harness: &dyn ConsumerHarness, before: &Self) -> Self {
        let store = EventStore::from_parts(harness.storage(), harness.storage())
            .with_consumers(harness.consumers());
        Self {
            consumers: store.consumers().expect("G16: consumers"),
            store,
            name: before.name.clone(),
            clock: Arc::clone(&before.clock),
            lengths: std::sync::Mutex::default(),
        }
    }

    /// The same with another consumer.
    pub(super) fn named(&self, name: &ConsumerName) -> Self {
        Self {
            store: self.store.clone(),
            consumers: self.consumers.clone(),
            name: name.clone(),
            clock: Arc::clone(&self.clock),
            lengths: std::sync::Mutex::default(),
        }
    }

    /// The consumers of the store, kept elsewhere.
    pub(super) fn consumers_over(&self, port: Arc<dyn ConsumerStore>) -> Consumers {
        let store = self.store.clone().with_consumers(port);
        store.consumers().expect("G16: consumers")
    }

    /// The clock moves on.
    pub(super) fn later(&self, seconds: i64) {
        self.clock
            .0
            .fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }

    /// Commits one changeset to each of these streams, in this order.
    pub(super) async fn commit(&self, harness: &dyn ConsumerHarness, streams: &[&str]) {
        for stream in streams {
            let last = {
                let mut lengths = self.lengths.lock().expect("no panic");
                let length = lengths.entry((*stream).to_owned()).or_default();
                *length += 1;
                *length - 1
            };
            let events = Events::parse(r#"[{"type":"paid"}]"#).expect("events");
            let stream_id = stream.parse().expect("a stream id");
            let commit = NewChangeset::new(stream_id, Expectation::LastChangeset(last), events);
            self.store.commit(commit).await.expect("to commit");
            harness.settle().await;
        }
    }

    pub(super) async fn claim(&self, limit: usize) -> Option<Delivery> {
        let claim = Claim::new("w").limit(limit);
        let claimed = self.consumers.claim(&self.name, claim, Duration::ZERO);
        claimed.await.expect("G16: to claim")
    }

    /// Claims what must be there.
    pub(super) async fn claimed(&self, limit: usize) -> Delivery {
        self.claim(limit).await.expect("G16: a batch")
    }

    pub(super) async fn try_ack(
        &self,
        batch: &Delivery,
        checkpoint: Checkpoint,
        failed: &[(&str, u64)],
        next: Option<usize>,
    ) -> Result<Option<Delivery>, Error> {
        let failed = failed.iter().map(|(stream, id)| Failure {
            stream_id: stream.parse().expect("a stream id"),
            changeset_id: (*id).try_into().expect("a changeset id"),
            error: "cannot".to_owned(),
        });
        let ack = Ack {
            generation: batch.generation,
            checkpoint,
            failed: failed.collect(),
        };
        let (name, partition) = (&self.name, batch.partition);
        let acked = self.consumers.acknowledge(name, partition, &ack, next);
        acked.await.map(|acked| acked.delivery)
    }

    /// Acknowledges a whole batch, with these failures.
    pub(super) async fn ack(&self, batch: &Delivery, failed: &[(&str, u64)]) {
        let acked = self.try_ack(batch, batch.next, failed, None).await;
        acked.expect("G16: to acknowledge");
    }

    /// Claims and acknowledges until nothing is left. Returns what was delivered.
    pub(super) async fn drain(&self, limit: usize) -> Vec<(String, u64)> {
        let mut found = Vec::new();
        while let Some(batch) = self.claim(limit).await {
            found.extend(ids(&batch));
            self.ack(&batch, &[]).await;
        }
        found
    }
}

pub(super) fn id(changeset: &Changeset) -> (String, u64) {
    (
        changeset.stream_id.to_string(),
        changeset.changeset_id.get(),
    )
}

pub(super) fn ids(batch: &Delivery) -> Vec<(String, u64)> {
    batch.changesets.iter().map(id).collect()
}

pub(super) fn listed(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
    let expected = expected.iter();
    expected
        .map(|(stream, id)| ((*stream).to_owned(), *id))
        .collect()
}

#[track_caller]
pub(super) fn assert_fenced<T: std::fmt::Debug>(result: &Result<T, Error>) {
    assert!(
        matches!(result, Err(Error::Consumer(ConsumerError::Fenced { .. }))),
        "G16: fenced, but it is {result:?}"
    );
}

#[track_caller]
pub(super) fn assert_invalid<T: std::fmt::Debug>(result: &Result<T, Error>) {
    assert!(
        matches!(result, Err(Error::Consumer(ConsumerError::Invalid(_)))),
        "G16: invalid, but it is {result:?}"
    );
}
