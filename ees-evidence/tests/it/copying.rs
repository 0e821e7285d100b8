//! Copying while the source is written to, up to a fence.

use std::sync::Arc;
use std::time::Duration;

use ees_core::adapter::Fence;
use ees_core::{Checkpoint, CheckpointStore, Error, StorageError};
use ees_evidence::{Copy, MoveError, Until};

use crate::rich::{all, movable, rich};
use crate::scene::commit;

#[tokio::test]
async fn a_copy_is_the_same_and_goes_on() {
    let (source, _) = rich().await;
    let (target, _) = movable();
    let copy = Copy::new(&source, &target, Until::Now);
    let first = copy.run(|_, _| {}).await.unwrap();
    assert_eq!(first.changesets, 7);
    commit(source.store(), 1300).await;
    let second = copy.run(|_, _| {}).await.unwrap();
    assert_eq!((second.size, second.changesets), (1311, 1300));
    assert_eq!(all(&target).await, all(&source).await);
    let nothing = copy.run(|_, _| {}).await.unwrap();
    assert_eq!(nothing.changesets, 0);

    commit(target.store(), 1).await;
    let ahead = copy.run(|_, _| {}).await.unwrap_err();
    assert!(matches!(ahead, MoveError::Ahead { .. }), "{ahead}");
    commit(source.store(), 2).await;
    let differs = copy.run(|_, _| {}).await.unwrap_err();
    let at = Checkpoint::FIRST.plus(1311);
    assert!(
        matches!(differs, MoveError::Differs(found) if found == at),
        "{differs}"
    );
}

/// Writers go on until the fence stands. Everything that was acknowledged is in the copy.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_with_writers_loses_nothing() {
    let (source, storage) = movable();
    let (target, moved) = movable();
    commit(source.store(), 1500).await;
    let writers = (0..4_u64).map(|writer| {
        let store = source.store().clone();
        tokio::spawn(async move {
            let stream: ees_core::StreamId = format!("w-{writer}").parse().unwrap();
            for number in 0.. {
                let events = ees_core::Events::of(&[number]).unwrap();
                let expected = ees_core::Expectation::LastChangeset(number);
                let asked = ees_core::NewChangeset::new(stream.clone(), expected, events);
                match store.commit(asked).await {
                    Ok(_) => tokio::time::sleep(Duration::from_millis(1)).await,
                    Err(Error::Storage(StorageError::Fenced { moved_to })) => {
                        assert_eq!(moved_to, "http://new");
                        return number;
                    }
                    Err(error) => panic!("{error}"),
                }
            }
            unreachable!()
        })
    });
    let writers: Vec<_> = writers.collect();
    storage
        .save_checkpoint("s", Checkpoint::FIRST.plus(3))
        .await
        .unwrap();
    let fence = Arc::clone(&storage) as Arc<dyn Fence>;
    let until = Until::Fencing(fence, "http://new".to_owned());
    let done = Copy::new(&source, &target, until)
        .run(|_, _| {})
        .await
        .unwrap();
    let mut written = 1500;
    for writer in writers {
        written += writer.await.unwrap();
    }
    assert_eq!(done.size, written);
    assert_eq!(all(&target).await, all(&source).await);
    let saved = moved.load_checkpoint("s").await.unwrap();
    assert_eq!(saved, Some(Checkpoint::FIRST.plus(3)));
}

/// A copy that follows ends with the fence that somebody else sets.
#[tokio::test]
async fn a_copy_follows_until_the_source_is_fenced() {
    let (source, storage) = movable();
    let (target, _) = movable();
    commit(source.store(), 10).await;
    let until = Until::Fenced(Arc::clone(&storage) as _);
    let copying = {
        let (source, target) = (source.clone(), target.clone());
        tokio::spawn(async move { Copy::new(&source, &target, until).run(|_, _| {}).await })
    };
    for count in [1, 7, 30] {
        commit(source.store(), count).await;
        let end = source.store().next_checkpoint().await.unwrap();
        while target.store().next_checkpoint().await.unwrap() < end {
            tokio::task::yield_now().await;
        }
    }
    assert!(!copying.is_finished());
    commit(source.store(), 5).await;
    storage.fence("there").await.unwrap();
    let done = copying.await.unwrap().unwrap();
    assert_eq!(done.size, 53);
    assert_eq!(all(&target).await, all(&source).await);
}
