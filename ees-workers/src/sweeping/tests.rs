//! The schedule of sweeps.

use super::*;
use crate::fakes::{FakeStore, unavailable};

const HOUR: Duration = Duration::from_hours(1);

fn ago(passed: Duration) -> Timestamp {
    let passed = i64::try_from(passed.as_micros()).unwrap();
    Timestamp::from_micros(Timestamp::now().as_micros() - passed).unwrap()
}

/// G8: restarts of servers do not delay a sweep.
#[tokio::test]
async fn a_sweep_is_due_so_long_after_the_last_one() {
    let store = FakeStore::new();
    let first = time_left(&store, HOUR).await.unwrap();
    assert_eq!(first, HOUR, "the first period begins");
    let begun = store.last_sweep().await.unwrap();
    assert!(begun.is_some());
    let again = time_left(&store, 2 * HOUR).await.unwrap();
    assert!(again <= 2 * HOUR, "{again:?}");
    assert_eq!(store.last_sweep().await.unwrap(), begun, "once");

    store.save_sweep(ago(2 * HOUR)).await.unwrap();
    assert_eq!(time_left(&store, HOUR).await.unwrap(), Duration::ZERO);
    let left = time_left(&store, 3 * HOUR).await.unwrap();
    assert!(left <= HOUR && left > Duration::ZERO, "{left:?}");
    // The clock of a process was wrong.
    let ahead = Timestamp::from_micros(2 * Timestamp::now().as_micros()).unwrap();
    store.save_sweep(ahead).await.unwrap();
    assert_eq!(time_left(&store, HOUR).await.unwrap(), HOUR);
}

/// The saved time is the start of the sweep, since a changeset committed during a sweep waits one
/// period.
#[tokio::test(start_paused = true)]
async fn a_sweep_that_is_due_is_done_and_remembered() {
    let store = FakeStore::new();
    store.save_sweep(ago(2 * HOUR)).await.unwrap();
    let before = Timestamp::now();
    let index: Arc<dyn Index> = Arc::new(store.clone());
    let (_asked, asks) = watch::channel(0);
    let (answered, _) = watch::channel(0);
    let sweeping = keep_sweeping(&index, Some(HOUR), asks, &answered);
    let look = async {
        store.wait_for(|counts| counts.sweeps_begun == 1).await;
        let during = Timestamp::now();
        store.pages.add_permits(1);
        store.wait_for(|counts| counts.sweeps_saved == 2).await;
        let saved = store.last_sweep().await.unwrap().unwrap();
        assert!(before <= saved && saved <= during, "{saved}");
    };
    tokio::select! {
        () = sweeping => unreachable!("it goes on for ever"),
        () = look => {}
    }
}

/// A sweep reads the whole store. Where counts agree it is left out, and looked at again a period later;
/// but one that is asked for is done, and so is one where the last sweep was long ago.
#[tokio::test(start_paused = true)]
async fn a_sweep_that_would_find_nothing_is_left_out() {
    let store = FakeStore::new();
    store.pages.add_permits(10);
    store.let_counts_agree(true);
    store.fail(crate::fakes::Call::CountsAgree, [unavailable()]);
    store.save_sweep(ago(2 * HOUR)).await.unwrap();
    let index: Arc<dyn Index> = Arc::new(store.clone());
    let (ask, asks) = watch::channel(0);
    let (answered, mut answers) = watch::channel(0);
    let sweeping = keep_sweeping(&index, Some(HOUR), asks, &answered);
    let look = async {
        let begun = Instant::now();
        store.wait_for(|counts| counts.compared == 3).await;
        let passed = begun.elapsed();
        assert!(passed >= 2 * HOUR && passed < 3 * HOUR, "{passed:?}");
        assert_eq!(store.counts().sweeps_begun, 0);

        ask.send_replace(1);
        answers.wait_for(|answered| *answered == 1).await.unwrap();
        store.wait_for(|counts| counts.sweeps_saved == 2).await;
        assert_eq!(store.counts().sweeps_begun, 1, "somebody knows of a gap");
        assert_eq!(store.counts().compared, 3);

        store.save_sweep(ago(29 * 24 * HOUR)).await.unwrap();
        store.wait_for(|counts| counts.sweeps_begun == 2).await;
        assert_eq!(store.counts().compared, 3, "counts may agree by chance");

        store.save_sweep(ago(2 * HOUR)).await.unwrap();
        store.let_counts_agree(false);
        store.wait_for(|counts| counts.sweeps_begun == 3).await;
    };
    tokio::select! {
        () = sweeping => unreachable!("it goes on for ever"),
        () = look => {}
    }
}

#[tokio::test]
async fn a_sweep_goes_on_where_another_stopped() {
    let store = FakeStore::new();
    for stream in ["a", "b", "c"] {
        store.commit(&crate::fakes::key(stream, 1));
    }
    store.pages.add_permits(10);
    let index: Arc<dyn Index> = Arc::new(store.clone());
    let mut first = Sweep::new(Arc::clone(&index));
    let page = first.next_page().await.unwrap().unwrap();
    store.fail(crate::fakes::Call::Unindexed, [unavailable()]);
    let mut second = Sweep::resume(index, page.next);
    assert!(second.next_page().await.is_err());
    let mut found = 0;
    while let Some(page) = second.next_page().await.unwrap() {
        found += page.found;
    }
    assert_eq!(found, 2, "the page that failed is not passed over");
    assert!(second.next_page().await.unwrap().is_none());
}
