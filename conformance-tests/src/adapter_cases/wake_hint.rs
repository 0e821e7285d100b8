//! G8: the wake hint of the storage port.

use std::sync::Arc;
use std::time::Duration;

use ees_core::{PageLimit, StreamId};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};

use crate::faults::{Fault, Faulty};
use crate::subject::{Ask, Expect, unique};
use crate::support::{LONG, commit, end_of_log, fill, joined, store_over, together, within};
use crate::{Adapter, AdapterHarness};

/// Time for readers to begin to wait. Nothing depends on it: one that comes late finds the commit.
const HEAD_START: Duration = Duration::from_millis(100);

/// A commit wakes every listener in the same process.
pub async fn a_commit_wakes_who_listens(harness: &mut dyn AdapterHarness) {
    let (storage, name) = (harness.storage(), unique("woken"));
    for last in 0..10 {
        let listeners: Vec<_> = (0..5).map(|_| storage.news()).collect();
        let ask = Ask::new(&name, Expect::Changeset(last));
        commit(&*harness.subject(), &ask).await;
        within("G8: a commit wakes every listener", together(listeners)).await;
    }
}

/// Who listens first and reads then needs no poll: whatever the read did not see yet wakes.
pub async fn no_commit_is_missed_between_listening_and_reading(harness: &mut dyn AdapterHarness) {
    const COMMITS: usize = 25;
    let (storage, subject) = (harness.storage(), harness.subject());
    let names: Vec<String> = (0..4).map(|_| unique("heard")).collect();
    let writers = names.iter().map(|name| {
        let (subject, name) = (Arc::clone(&subject), name.clone());
        tokio::spawn(async move { fill(&*subject, &name, &[1; COMMITS]).await })
    });
    let writers: Vec<_> = writers.collect();
    let ends_at = |stream: &str| {
        let (storage, stream) = (Arc::clone(&storage), StreamId::new(stream));
        async move {
            let head = storage.head(&stream.expect("a stream id")).await;
            let head = head.expect("G5: the head");
            head.map_or(0, |head| head.last_changeset.get())
        }
    };
    loop {
        let news = storage.news();
        let ends = join_all(names.iter().map(|name| ends_at(name))).await;
        if ends.iter().all(|end| *end == COMMITS as u64) {
            break;
        }
        within("G8: a commit wakes a reader that has not seen it", news).await;
    }
    for writer in writers {
        joined(writer).await;
    }
}

/// A storage whose wake-ups are all lost.
struct Silent;

impl Fault for Silent {
    fn news(&self, _: &dyn Adapter) -> BoxFuture<'static, ()> {
        std::future::pending().boxed()
    }
}

/// Readers at the end of the order get a commit also if its wake-up is lost.
pub async fn a_commit_reaches_readers_that_no_wake_up_reaches(harness: &mut dyn AdapterHarness) {
    let (subject, name) = (harness.subject(), unique("silent"));
    let store = store_over(Faulty::new(harness.storage(), Silent));
    let store = store.with_poll_interval(Duration::from_millis(20));
    for last in 0..3 {
        let end = end_of_log(&*subject).await;
        let from = ees_core::Checkpoint::new(end).expect("a checkpoint");
        let readers = (0..4).map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let limit = PageLimit::default();
                let page = store.await_changesets(from, limit, LONG).await;
                page.expect("G8: a page").changesets.len()
            })
        });
        let readers: Vec<_> = readers.collect();
        tokio::time::sleep(HEAD_START).await;
        commit(&*subject, &Ask::new(&name, Expect::Changeset(last))).await;
        harness.settle().await;
        for reader in readers {
            let found = within("G8: a reader gets what it waits for", joined(reader)).await;
            assert!(found > 0, "G8: a reader gets a commit without a wake-up");
        }
    }
}
