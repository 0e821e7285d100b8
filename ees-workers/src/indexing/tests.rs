//! Indexing over a fake feed and store that fail, forget and wait on command.

use std::collections::HashMap;
use std::pin::pin;

use ees_core::adapter::{Committed, Index};
use ees_core::{StorageError, Timestamp};
use futures_util::FutureExt;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::*;
use crate::fakes::{Call, FakeStore, key, unavailable};

/// A worker over a store, and its stop signal.
struct Running {
    closing: CancellationToken,
    task: JoinHandle<()>,
}

fn start(store: &FakeStore, sweep_every: Option<Duration>) -> Running {
    let indexing = Indexing {
        order: store.order(),
        sweep_every,
    };
    let closing = CancellationToken::new();
    let task = tokio::spawn(indexing.run(closing.clone()));
    Running { closing, task }
}

impl Running {
    async fn stop(self) {
        self.closing.cancel();
        self.task.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_feed_tells_has_its_position_before_the_feed_is_told_so() {
    let store = FakeStore::new();
    let running = start(&store, None);
    for (changeset, done) in [(1, 1), (2, 2)] {
        store.commit(&key("s", changeset));
        store.tell(&[key("s", changeset)], false);
        store.wait_for(|counts| counts.done == done).await;
        assert_eq!(store.position(&key("s", changeset)), Some(changeset - 1));
    }
    running.stop().await;
    assert_eq!(store.counts().sweeps_begun, 0, "nothing requested a sweep");
}

#[tokio::test(start_paused = true)]
async fn a_gap_makes_a_sweep_which_finds_what_was_not_told() {
    let store = FakeStore::new();
    let lost = [key("a", 1), key("b", 1), key("c", 1)];
    for key in &lost {
        store.commit(key);
    }
    store.pages.add_permits(3);
    let running = start(&store, None);
    store.tell(&[], true);
    store.wait_for(|counts| counts.sweeps_saved == 1).await;
    let mut positions: Vec<_> = lost.iter().map(|key| store.position(key)).collect();
    positions.sort_unstable();
    assert_eq!(positions, [Some(0), Some(1), Some(2)]);
    running.stop().await;
}

/// A sweep that was running when a gap was reported may already have passed the missing changesets.
#[tokio::test(start_paused = true)]
async fn a_gap_is_closed_after_a_sweep_that_began_after_it() {
    let store = FakeStore::new();
    let long_ago = Timestamp::from_micros(0).unwrap();
    store.save_sweep(long_ago).await.unwrap();
    let running = start(&store, Some(Duration::from_hours(1)));
    // The periodic sweep has begun, and waits for its page.
    store.wait_for(|counts| counts.sweeps_begun == 1).await;
    store.tell(&[], true);
    store.wait_for(|counts| counts.done == 1).await;
    store.pages.add_permits(1);
    // It has ended, and the sweep for the gap has begun.
    store.wait_for(|counts| counts.sweeps_begun == 2).await;
    store.tell(&[], false);
    store.wait_for(|counts| counts.done == 2).await;
    assert_eq!(
        store.counts().closed,
        0,
        "a sweep that began before the gap"
    );

    store.pages.add_permits(1);
    store.wait_for(|counts| counts.sweeps_saved == 3).await;
    store.tell(&[], false);
    store.wait_for(|counts| counts.done == 3).await;
    assert_eq!(store.counts().closed, 1);
    assert_eq!(store.counts().sweeps_begun, 2, "one sweep for one gap");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn whatever_fails_is_tried_again() {
    let store = FakeStore::new();
    let calls = [
        Call::Open,
        Call::Next,
        Call::Done,
        Call::LoadState,
        Call::Unindexed,
        Call::LastSweep,
        Call::SaveSweep,
    ];
    for call in calls {
        store.fail(call, [unavailable(), unavailable()]);
    }
    store.commit(&key("told", 1));
    store.commit(&key("untold", 1));
    store.pages.add_permits(10);
    let begun = Instant::now();
    let running = start(&store, Some(Duration::from_hours(1)));
    store.tell(&[key("told", 1)], true);
    store.wait_for(|counts| counts.sweeps_saved == 2).await;
    for _ in 0..3 {
        store.tell(&[], false);
    }
    store.wait_for(|counts| counts.done == 2).await;
    assert_eq!(store.failures_left(), 0);
    assert!(store.position(&key("told", 1)).is_some());
    assert!(store.position(&key("untold", 1)).is_some());
    assert!(
        begun.elapsed() < Duration::from_mins(1),
        "each a second later"
    );
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_somebody_has_to_repair_is_tried_again_now_and_then() {
    let store = FakeStore::new();
    let damaged = || StorageError::Corrupt("no state".to_owned());
    store.fail(Call::LoadState, [damaged(), damaged()]);
    store.commit(&key("s", 1));
    let begun = Instant::now();
    let running = start(&store, None);
    store.tell(&[key("s", 1)], false);
    store.wait_for(|counts| counts.done == 1).await;
    assert_eq!(store.position(&key("s", 1)), Some(0));
    assert!(
        begun.elapsed() >= Duration::from_mins(1),
        "twice half a minute"
    );
    running.stop().await;
}

/// A damaged stream does not stop the feed.
#[tokio::test(start_paused = true)]
async fn what_can_have_no_position_stops_nothing_else() {
    let store = FakeStore::new();
    store.commit(&key("broken", 2));
    store.commit(&key("whole", 1));
    let running = start(&store, None);
    store.tell(&[key("broken", 2), key("whole", 1)], false);
    store.wait_for(|counts| counts.done == 1).await;
    assert_eq!(store.position(&key("broken", 2)), None);
    assert_eq!(store.position(&key("whole", 1)), Some(0));
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn it_stops_whatever_it_waits_for() {
    // The waits: for the feed to open; for the feed; for a page of a sweep; for a repair of the
    // storage.
    let closed = FakeStore::new();
    closed.fail(Call::Open, vec![unavailable(); 1_000_000]);
    let sweeping = FakeStore::new();
    sweeping.tell(&[], true);
    let broken = FakeStore::new();
    broken.fail(
        Call::LoadState,
        vec![StorageError::Corrupt("no state".to_owned()); 1_000_000],
    );
    broken.tell(&[key("s", 1)], false);
    for store in [closed, FakeStore::new(), sweeping, broken] {
        let closing = CancellationToken::new();
        let mut run = pin!(Indexing::new(store.order()).run(closing.clone()));
        for _ in 0..10 {
            assert!(run.as_mut().now_or_never().is_none());
        }
        closing.cancel();
        assert!(run.as_mut().now_or_never().is_some());
    }
}

/// The gauges, by their name or their label. Reading them resets them.
fn gauges(metrics: &Snapshotter) -> HashMap<String, f64> {
    let found = metrics.snapshot().into_vec().into_iter();
    let gauges = found.filter_map(|(key, _, _, value)| {
        let key = key.key();
        let label = key.labels().next().map(|label| label.value().to_owned());
        match value {
            DebugValue::Gauge(value) => {
                Some((label.unwrap_or_else(|| key.name().to_owned()), value.0))
            }
            _ => None,
        }
    });
    gauges.collect()
}

#[tokio::test(start_paused = true)]
async fn it_is_measured_how_far_the_order_is_behind_and_why() {
    let recorder = DebuggingRecorder::new();
    let metrics = recorder.snapshotter();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let store = FakeStore::new();
    store.fail(Call::Next, std::iter::repeat_n(unavailable(), 5));
    let running = start(&store, None);
    tokio::time::sleep(Duration::from_millis(3500)).await;
    let held = gauges(&metrics);
    assert!((held["feed"] - 3.0).abs() < 0.1, "{held:?}");
    let key = key("s", 1);
    store.commit(&key);
    store.fail(Call::LoadState, std::iter::repeat_n(unavailable(), 5));
    let now = Timestamp::now().as_micros();
    store.tell_of(Committed {
        keys: vec![key.clone()],
        oldest: Timestamp::from_micros(now - 60_000_000).ok(),
        gap: true,
    });
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(store.position(&key).is_none());
    let held = gauges(&metrics);
    assert!(held["feed"].abs() < 0.1, "the feed works again: {held:?}");
    assert!((held["storage"] - 2.0).abs() < 0.1, "{held:?}");
    assert!(held["ees_index_lag_seconds"] >= 60.0, "{held:?}");
    store.wait_for(|counts| counts.done == 1).await;
    assert!(store.position(&key).is_some());
    let held = gauges(&metrics);
    assert!(held["storage"].abs() < 0.1, "{held:?}");
    assert!(
        held["ees_index_lag_seconds"] >= 60.0,
        "it came late: {held:?}"
    );
    tokio::time::sleep(Duration::from_secs(3)).await;
    store.tell(&[], false);
    store.wait_for(|counts| counts.done == 2).await;
    let held = gauges(&metrics);
    assert!((held["gap"] - 3.0).abs() < 0.1, "{held:?}");
    assert!(
        held["ees_index_lag_seconds"].abs() < 0.1,
        "none waits: {held:?}"
    );
    store.pages.add_permits(1);
    store.wait_for(|counts| counts.sweeps_saved == 1).await;
    store.tell(&[], false);
    store.wait_for(|counts| counts.done == 3).await;
    assert!(gauges(&metrics)["gap"].abs() < 0.1);
    running.stop().await;
}
