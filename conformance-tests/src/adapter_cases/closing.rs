//! Closing a storage.

use std::sync::Arc;
use std::time::Duration;

use ees_core::{Checkpoint, PageLimit, Statistics, StorageError, StreamId, StreamQuery};

use futures_util::future::join_all;

use super::outages::new_commit;
use crate::AdapterHarness;
use crate::subject::{Ask, Committed, Direct, Expect, Failure, Subject, unique};
use crate::support::{commit, fill, head, joined, store_over, stream, within};

const CLOSES: &str = "G4: closing a storage ends";

#[track_caller]
fn assert_unavailable<T>(call: &str, answer: &Result<T, StorageError>) {
    let unavailable = matches!(answer, Err(StorageError::Unavailable { .. }));
    let error = answer.as_ref().err();
    assert!(
        unavailable,
        "G4: {call} is unavailable after the storage was closed, but it answered {}",
        error.map_or("with success".to_owned(), ToString::to_string)
    );
}

/// After it was closed, every call says that the storage is unavailable.
pub async fn a_closed_storage_is_unavailable(harness: &mut dyn AdapterHarness) {
    let (storage, name) = (harness.storage(), unique("closed"));
    fill(&*harness.subject(), &name, &[1]).await;
    let stream = StreamId::new(&name).expect("a stream id");
    let first = Checkpoint::FIRST;
    within(CLOSES, storage.close()).await;
    assert_unavailable("commit", &storage.commit(&new_commit(&name, 1)).await);
    assert_unavailable("head", &storage.head(&stream).await);
    let all = StreamQuery::all(stream);
    assert_unavailable("read_stream", &storage.read_stream(&all).await);
    let page = storage.read_global(first, PageLimit::default()).await;
    assert_unavailable("read_global", &page);
    assert_unavailable("next_checkpoint", &storage.next_checkpoint().await);
    assert_unavailable("load_statistics", &storage.load_statistics().await);
    let swapped = storage.swap_statistics(first, &Statistics::default()).await;
    assert_unavailable("swap_statistics", &swapped);
    assert_unavailable("load_checkpoint", &storage.load_checkpoint("s").await);
    let saved = storage.save_checkpoint("s", first).await;
    assert_unavailable("save_checkpoint", &saved);
}

/// To close what is closed, or is being closed, changes nothing.
pub async fn a_storage_may_be_closed_twice(harness: &mut dyn AdapterHarness) {
    let storage = harness.storage();
    within(CLOSES, async {
        tokio::join!(storage.close(), storage.close());
        storage.close().await;
    })
    .await;
    assert_unavailable("next_checkpoint", &storage.next_checkpoint().await);
}

/// What writers were acknowledged while the storage was being closed is there when it is opened
/// again, and what was refused for it is not.
pub async fn what_was_acknowledged_before_closing_lasts(harness: &mut dyn AdapterHarness) {
    let storage = harness.storage();
    let writers = (0..8).map(|_| {
        let subject = Direct::over(store_over(Arc::clone(&storage)));
        tokio::spawn(async move { write_until_closed(&*subject).await })
    });
    let writers: Vec<_> = writers.collect();
    tokio::task::yield_now().await;
    within(CLOSES, storage.close()).await;
    let wrote = join_all(writers.into_iter().map(joined));
    let wrote = within(
        "G4: a commit is answered by a storage that is being closed, and refused by one that is closed",
        wrote,
    )
    .await;
    drop(storage);
    harness.restart().await;
    if !harness.capabilities().durable {
        return;
    }
    let subject = harness.subject();
    for (name, acknowledged, failure) in wrote {
        assert_eq!(failure.code, "STORAGE_UNAVAILABLE", "G4: {failure:?}");
        let Some(last) = acknowledged.last() else {
            continue;
        };
        let end = head(&*subject, &name).await.last_changeset;
        // The answer to the one after may have been lost.
        let lasts = end == last.changeset_id || end == last.changeset_id + 1;
        assert!(
            lasts,
            "G4: {end}, but {} was acknowledged",
            last.changeset_id
        );
        let found = stream(&*subject, &name).await;
        for (found, told) in found.iter().zip(&acknowledged) {
            assert_eq!(
                found.timestamp, told.timestamp,
                "G4: the stored time is that of the answer"
            );
        }
    }
}

/// What was closed opens again over what it held, as often as it is closed, and all who hold it
/// then see the same.
pub async fn a_closed_storage_opens_again(harness: &mut dyn AdapterHarness) {
    let name = unique("opened");
    for round in 0..3 {
        let (one, other) = (harness.subject(), harness.subject());
        let last = if harness.capabilities().durable {
            round
        } else {
            0
        };
        commit(&*one, &Ask::new(&name, Expect::Changeset(last))).await;
        let end = head(&*other, &name).await.last_changeset;
        assert_eq!(
            end,
            last + 1,
            "G4: the stream has the earlier changesets and the new one"
        );
        drop((one, other));
        within(CLOSES, harness.storage().close()).await;
        within("G4: a closed storage opens again", harness.restart()).await;
    }
}

async fn write_until_closed(subject: &dyn Subject) -> (String, Vec<Committed>, Failure) {
    let (name, mut acknowledged) = (unique("closing"), Vec::new());
    loop {
        let ask = Ask::new(&name, Expect::Changeset(acknowledged.len() as u64));
        match subject.commit(&ask).await {
            Ok(committed) => acknowledged.push(committed),
            Err(failure) => return (name, acknowledged, failure),
        }
        // However late it is closed, a store that commits in no time is not filled up meanwhile.
        if acknowledged.len() < 1000 {
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}
