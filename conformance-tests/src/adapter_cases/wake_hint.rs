//! G8: the wake hint of the storage port.

use std::sync::Arc;

use ees_core::StreamId;
use futures_util::future::join_all;

use crate::AdapterHarness;
use crate::subject::{Ask, Expect, unique};
use crate::support::{commit, fill, joined, together, within};

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
