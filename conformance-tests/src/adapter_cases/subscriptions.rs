//! G6, G8: catch-up subscriptions.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use ees_core::{
    Changeset, Checkpoint, Error, EventStore, GlobalPage, PageLimit, StorageError, Subscription,
    Written,
};
use futures_util::FutureExt;

use crate::faults::{Fault, Faulty};
use crate::subject::{Ask, Expect, Subject, unique};
use crate::support::{commit, end_of_log, fill, store_over, within};
use crate::{Adapter, AdapterHarness};

/// What a subscription gives next; it waits for that as long as it takes.
async fn next(subscription: &mut Subscription) -> Changeset {
    let next = within("G8: the next changeset comes", subscription.next()).await;
    next.expect("G6: the next changeset")
}

/// The next so many changesets are these of the stream, one after another; the harness's namespace
/// is ours alone.
async fn expect(subscription: &mut Subscription, name: &str, ids: impl Iterator<Item = u64>) {
    for id in ids {
        let found = next(subscription).await;
        let found = (found.stream_id.to_string(), found.changeset_id.get());
        assert_eq!(
            found,
            (name.to_owned(), id),
            "G6: the next changeset in the order"
        );
    }
}

async fn append(subject: &dyn Subject, name: &str, last: u64) {
    commit(subject, &Ask::new(name, Expect::Changeset(last))).await;
}

/// A subscription returns the existing changesets first, then new ones, without a gap.
pub async fn a_subscription_catches_up_and_goes_on_live(harness: &mut dyn AdapterHarness) {
    let (subject, name) = (harness.subject(), unique("live"));
    let store = store_over(harness.storage());
    fill(&*subject, &name, &[1; 20]).await;
    let mut subscription = Subscription::new(&store, Checkpoint::FIRST);
    expect(&mut subscription, &name, 1..=20).await;
    for last in 20..30 {
        let awaited = expect(&mut subscription, &name, last + 1..=last + 1);
        tokio::join!(awaited, append(&*subject, &name, last));
    }
    harness.settle().await;
    let end = end_of_log(&*subject).await;
    assert_eq!(subscription.checkpoint().get(), end, "G6: at the end");
}

/// A subscription that resumes from a checkpoint saved by another continues there.
pub async fn a_subscription_resumes_where_it_was_saved(harness: &mut dyn AdapterHarness) {
    let (subject, name) = (harness.subject(), unique("resumed"));
    let storage = harness.storage();
    let store = store_over(harness.storage());
    fill(&*subject, &name, &[1; 9]).await;
    for round in 0..3 {
        let resumed = Subscription::resume(&store, &*storage, &name).await;
        let mut subscription = resumed.expect("G6: to resume");
        expect(&mut subscription, &name, round * 3 + 1..=round * 3 + 3).await;
        let checkpoint = subscription.checkpoint();
        let saved = storage.save_checkpoint(&name, checkpoint).await;
        saved.expect("G6: to save");
        // What was read but not saved comes again.
        if round < 2 {
            next(&mut subscription).await;
        }
    }
}

/// A reader that gives up waiting, over and over, misses nothing when it comes back.
pub async fn a_dropped_call_loses_nothing(harness: &mut dyn AdapterHarness) {
    let (subject, name) = (harness.subject(), unique("dropped"));
    let store = store_over(harness.storage());
    let mut subscription = Subscription::new(&store, Checkpoint::FIRST);
    let mut seen = 0;
    for last in 0..20 {
        for patience in [0, 1] {
            let patience = Duration::from_millis(patience);
            let tried = tokio::time::timeout(patience, subscription.next()).await;
            if let Ok(found) = tried {
                seen += 1;
                let id = found.expect("G6: the next").changeset_id.get();
                assert_eq!(id, seen, "G6: no changeset is missing or duplicated");
            }
        }
        let dropped = subscription.next().now_or_never();
        seen += u64::from(dropped.is_some());
        append(&*subject, &name, last).await;
    }
    expect(&mut subscription, &name, seen + 1..=20).await;
}

/// Answers so many reads of the global order, and fails one in two after that.
struct Outages(AtomicU64);

#[async_trait]
impl Fault for Outages {
    async fn read_global(
        &self,
        inner: &dyn Adapter,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        if self.0.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) {
            let mut error = StorageError::unavailable("an outage", Written::None);
            if let StorageError::Unavailable { retry_after, .. } = &mut error {
                *retry_after = Duration::from_millis(1);
            }
            return Err(error);
        }
        // Pages of three, so that there are many to fail.
        let items = limit.items.min(3);
        inner.read_global(from, PageLimit { items, ..limit }).await
    }
}

/// A subscription reports an outage, and continues at the same position.
pub async fn a_subscription_outlives_an_outage(harness: &mut dyn AdapterHarness) {
    let (subject, name) = (harness.subject(), unique("outage"));
    let fault = Outages(AtomicU64::new(0));
    let store = EventStore::new(Faulty::new(harness.storage(), fault));
    fill(&*subject, &name, &[1; 20]).await;
    harness.settle().await;
    let mut subscription = Subscription::new(&store, Checkpoint::FIRST);
    let (mut seen, mut outages) = (Vec::new(), 0);
    while seen.len() < 20 {
        let before = subscription.checkpoint();
        let next = within("G8: a changeset or an outage comes", subscription.next());
        match next.await {
            Ok(changeset) => seen.push(changeset.changeset_id.get()),
            Err(Error::Storage(StorageError::Unavailable { .. })) => {
                outages += 1;
                assert!(
                    outages <= 100,
                    "G8: the subscription continues after an outage"
                );
                assert_eq!(
                    subscription.checkpoint(),
                    before,
                    "G6: an outage does not move the checkpoint"
                );
            }
            Err(error) => panic!("G6: a changeset or an outage comes, but: {error}"),
        }
    }
    assert_eq!(
        seen,
        (1..=20).collect::<Vec<_>>(),
        "G6: each changeset once"
    );
    assert!(outages >= 7, "G8: the subscription reports every outage");
}
