//! A store to seal.

use std::sync::Arc;

use ees_core::adapter::Import;
use ees_core::{
    Changeset, Checkpoint, EventStore, Events, Expectation, GlobalPage, NewChangeset, PageLimit,
};
use ees_evidence::{Hash, leaf_of, void_leaf};
use ees_memory::MemoryStorage;

/// A store in memory, and its storage.
pub(crate) fn store() -> (EventStore, Arc<MemoryStorage>) {
    let storage = Arc::new(MemoryStorage::new());
    let store = EventStore::new(Arc::clone(&storage)).with_log(Arc::clone(&storage) as _);
    (store, storage)
}

/// Commits a changeset to the end of each of a few streams in turns.
pub(crate) async fn commit(store: &EventStore, count: u64) {
    let first = store.next_checkpoint().await.unwrap().get();
    for number in first..first + count {
        let stream = format!("s{}", number % 3).parse().unwrap();
        let head = store.head(&stream).await;
        let last = head.map_or(0, |head| head.last_changeset.get());
        let events = Events::of(&[number]).unwrap();
        let asked = NewChangeset::new(stream, Expectation::LastChangeset(last), events);
        store.commit(asked).await.unwrap();
    }
}

/// Copies the order into a new store, in which every checkpoint is `apart` times as large: all between
/// are void.
pub(crate) async fn spread(from: &EventStore, apart: u64) -> (EventStore, Arc<MemoryStorage>) {
    let (store, storage) = store();
    let page = from
        .global_changesets(Checkpoint::FIRST, PageLimit::default())
        .await
        .unwrap();
    let moved = page.changesets.iter().map(|changeset| Changeset {
        checkpoint: changeset
            .checkpoint
            .map(|at| Checkpoint::FIRST.plus(at.get() * apart)),
        ..changeset.clone()
    });
    let changesets: Vec<_> = moved.collect();
    let next = changesets.last().unwrap().checkpoint.unwrap().plus(1);
    let page = GlobalPage { changesets, next };
    storage.import(Checkpoint::FIRST, &page).await.unwrap();
    (store, storage)
}

/// The leaves of a store, read one by one.
pub(crate) async fn leaves(store: &EventStore) -> Vec<Hash> {
    let page = store
        .global_changesets(Checkpoint::FIRST, PageLimit::default())
        .await
        .unwrap();
    let mut leaves = vec![void_leaf(); usize::try_from(page.next.get()).unwrap()];
    for changeset in &page.changesets {
        let place = usize::try_from(changeset.checkpoint.unwrap().get()).unwrap();
        leaves[place] = leaf_of(changeset);
    }
    leaves
}

/// The root over leaves, as RFC 6962 defines it.
pub(crate) fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => tlog_tiles::EMPTY_HASH,
        [leaf] => *leaf,
        _ => {
            let half = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(half);
            tlog_tiles::node_hash(root(left), root(right))
        }
    }
}
