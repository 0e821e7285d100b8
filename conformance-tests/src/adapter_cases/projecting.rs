//! G13: the port that stores the statistics, and projectors that run concurrently or stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use ees_core::adapter::StatisticsStore;
use ees_core::{Checkpoint, EventStore, Projector, Statistics, StorageError, Written};

use crate::faults::{Fault, Faulty};
use crate::subject::{Subject, unique};
use crate::support::{GLOBAL_LIMIT, fill, log, store_over, together};
use crate::{Adapter, AdapterHarness};

fn at(number: u64) -> Checkpoint {
    Checkpoint::new(number).expect("a checkpoint")
}

async fn load(store: &dyn StatisticsStore) -> Statistics {
    store.load_statistics().await.expect("G13: to load")
}

/// Before anything was counted, all counts are 0.
pub async fn statistics_begin_at_zero(harness: &mut dyn AdapterHarness) {
    let found = load(&*harness.storage()).await;
    assert_eq!(found, Statistics::default(), "G13: nothing was counted");
}

/// Only a caller that knows the last saved value may replace it.
pub async fn a_swap_needs_the_right_version(harness: &mut dyn AdapterHarness) {
    let store = harness.storage();
    let counts = |version| Statistics {
        version: at(version),
        total_streams: version + 1,
        total_changesets: i64::MAX.cast_unsigned(),
        total_events: version + 2,
        max_stream_length: version + 3,
    };
    for (previous, next, swaps) in [
        (1, 5, false),
        (0, 5, true),
        (0, 7, false),
        (4, 7, false),
        (6, 7, false),
        (5, 7, true),
        (5, 9, false),
    ] {
        let before = load(&*store).await;
        let swapped = store.swap_statistics(at(previous), &counts(next)).await;
        assert_eq!(swapped.expect("G13"), swaps, "G13: {previous} to {next}");
        let expected = if swaps { counts(next) } else { before };
        let found = load(&*store).await;
        assert_eq!(found, expected, "G13: after {previous} to {next}");
    }
}

/// Of many callers that know the same value, one may replace it.
pub async fn one_of_racing_swaps_succeeds(harness: &mut dyn AdapterHarness) {
    let store = harness.storage();
    for round in 0..10 {
        let swaps = (0..8).map(|racer| {
            let store = Arc::clone(&store);
            let counts = Statistics {
                version: at(round + 1),
                total_events: racer,
                ..Statistics::default()
            };
            async move {
                let swapped = store.swap_statistics(at(round), &counts).await;
                swapped.expect("G13: to swap").then_some(counts)
            }
        });
        let winners: Vec<_> = together(swaps).await.into_iter().flatten().collect();
        assert_eq!(winners.len(), 1, "G13: one winner");
        assert_eq!(load(&*store).await, winners[0], "G13: the winner's");
    }
}

/// Counts the whole order again.
async fn recount(subject: &dyn Subject) -> Statistics {
    let log = log(subject, 0, GLOBAL_LIMIT).await;
    let zero = Statistics::default();
    log.iter().fold(zero, |sum, changeset| Statistics {
        version: sum.version.plus(1),
        total_streams: sum.total_streams + u64::from(changeset.changeset_id == 1),
        total_changesets: sum.total_changesets + 1,
        total_events: sum.total_events + changeset.last_event_id + 1 - changeset.first_event_id,
        max_stream_length: sum.max_stream_length.max(changeset.changeset_id),
    })
}

/// Projectors that run at the same time, while others write, count everything once.
pub async fn projectors_at_once_count_nothing_twice(harness: &mut dyn AdapterHarness) {
    let store = store_over(harness.storage());
    let subject = harness.subject();
    let writers = (0..10).map(|_| {
        let (subject, projector) = (Arc::clone(&subject), Projector::new(&store));
        async move {
            for sizes in [[1, 2, 1], [3, 1, 1], [2, 2, 2]] {
                fill(&*subject, &unique("raced"), &sizes).await;
                projector.catch_up().await.expect("G13: to count");
            }
        }
    });
    together(writers).await;
    harness.settle().await;
    let counted = Projector::new(&store).catch_up().await;
    let expected = recount(&*subject).await;
    assert_eq!(counted.expect("G13: to count"), expected, "G13: exact");
    assert_eq!(load(&*harness.storage()).await, expected, "G13: and saved");
}

/// Saves, and then fails so many times: what was saved stays unknown to the projector.
struct FailsAfterSaving(AtomicU64);

#[async_trait]
impl Fault for FailsAfterSaving {
    async fn swap_statistics(
        &self,
        inner: &dyn Adapter,
        previous: Checkpoint,
        statistics: &Statistics,
    ) -> Result<bool, StorageError> {
        let swapped = inner.swap_statistics(previous, statistics).await?;
        let left = self
            .0
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        match left {
            Ok(_) => Err(StorageError::unavailable("no answer", Written::Unknown)),
            Err(_) => Ok(swapped),
        }
    }
}

/// A projector that stopped between two pages, even without knowing whether it had saved, goes on
/// and counts everything once.
pub async fn a_projector_that_stopped_goes_on(harness: &mut dyn AdapterHarness) {
    let subject = harness.subject();
    let writers = (0..45).map(|_| {
        let subject = Arc::clone(&subject);
        async move { fill(&*subject, &unique("stopped"), &[1; 25]).await }
    });
    together(writers).await;
    harness.settle().await;
    let fault = FailsAfterSaving(AtomicU64::new(1));
    let store = EventStore::new(Faulty::new(harness.storage(), fault));
    let projector = Projector::new(&store);
    assert!(projector.catch_up().await.is_err(), "G13: it was stopped");
    let expected = recount(&*subject).await;
    let partly = load(&*harness.storage()).await;
    assert!(
        partly.version < expected.version,
        "G13: the counts are incomplete when the projector stops"
    );
    let counted = projector.catch_up().await.expect("G13: to count");
    assert_eq!(counted, expected, "G13: each changeset is counted once");
}
