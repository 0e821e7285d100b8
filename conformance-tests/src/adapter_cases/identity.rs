//! The stored identity of a store, which tells readers whose checkpoints they hold.

use std::sync::Arc;

use ees_core::{Checkpoint, Error, EventStore, Identity, OtherStore, StoreId};
use futures_util::future::join_all;

use crate::subject::unique;
use crate::support::fill;
use crate::{Adapter, AdapterHarness};

/// How many processes open a store at once.
const AT_ONCE: usize = 4;

/// The store as a process sees it that has just opened it.
fn opened(harness: &dyn AdapterHarness) -> EventStore {
    let storage = harness.storage();
    EventStore::from_parts(Arc::clone(&storage) as _, storage as _)
}

async fn id_of(harness: &dyn AdapterHarness) -> StoreId {
    let identity = opened(harness).identity().await;
    identity.expect("G6: a store has an identity").id
}

async fn other(store: &EventStore, asked: StoreId) -> OtherStore {
    match store.check_store(asked).await {
        Err(Error::OtherStore(other)) => *other,
        answer => panic!("G6: another store was asked for, but the answer is {answer:?}"),
    }
}

/// A durable store keeps its id. Another one begins again as another store.
pub async fn an_id_survives_a_restart(harness: &mut dyn AdapterHarness) {
    let before = id_of(harness).await;
    assert_eq!(id_of(harness).await, before, "G6: the id does not change");
    harness.restart().await;
    let after = id_of(harness).await;
    let is_kept = after == before;
    assert_eq!(
        is_kept,
        harness.capabilities().durable,
        "G6: {before}, {after}"
    );
}

/// Of any number of processes that make the first id, one makes it, and all take it.
pub async fn stores_opened_at_once_agree(harness: &mut dyn AdapterHarness) {
    let stores: Vec<EventStore> = (0..AT_ONCE).map(|_| opened(harness)).collect();
    let identities = join_all(stores.iter().map(EventStore::identity)).await;
    let ids = identities
        .into_iter()
        .map(|identity| identity.expect("G6: an identity").id);
    let mut ids: Vec<StoreId> = ids.collect();
    ids.push(id_of(harness).await);
    ids.dedup();
    assert_eq!(ids.len(), 1, "G6: one store has one id, not {ids:?}");
}

/// After a restore a store gets a new id. A reader with the old one learns where the head was then;
/// a reader of a strange store learns that it is strange.
pub async fn a_new_id_tells_what_is_the_same(harness: &mut dyn AdapterHarness) {
    fill(&*harness.subject(), &unique("identity"), &[1, 1]).await;
    harness.settle().await;
    let store = opened(harness);
    let before = store.identity().await.expect("G6: an identity").id;
    store.check_store(before).await.expect("G6: this store");
    let cut = store.next_checkpoint().await.expect("G6: a head");
    let after = store.renew_identity().await.expect("G6: a new id").id;
    assert_ne!(before, after, "G6: a new id");
    fill(&*harness.subject(), &unique("identity"), &[1]).await;
    harness.settle().await;
    for store in [store, opened(harness)] {
        store.check_store(after).await.expect("G6: this store");
        assert_eq!(store.store_id(), Some(after), "G6: its id");
        let told = other(&store, before).await;
        assert_eq!((told.store, told.asked), (after, before), "G6: {told:?}");
        assert_eq!(told.same_below, Some(cut), "G6: {told:?}");
        assert!(told.head > cut, "G6: {told:?}");
        let stranger = StoreId::generate();
        assert_eq!(
            other(&store, stranger).await.same_below,
            None,
            "G6: {told:?}"
        );
    }
}

/// An identity is replaced only by who knows the stored one, so that none is lost.
pub async fn a_swap_needs_the_stored_identity(harness: &mut dyn AdapterHarness) {
    let storage = harness.storage();
    let place = storage.identity_place();
    let [first, second, third] = [(); 3].map(|()| Identity::generate(place.clone()));
    for (previous, next, swaps) in [
        (Some(&second), &first, false),
        (None, &first, true),
        (None, &second, false),
        (Some(&second), &third, false),
        (Some(&first), &second, true),
        (Some(&first), &third, false),
    ] {
        let swapped = storage.swap_identity(previous, next).await;
        assert_eq!(swapped.ok(), Some(swaps), "G6: {previous:?} to {next:?}");
    }
    assert_eq!(
        load(&storage).await,
        Some(second.clone()),
        "G6: the last swap"
    );
    let nexts: Vec<Identity> = (0..AT_ONCE)
        .map(|_| second.renewed(Checkpoint::FIRST, place.clone()))
        .collect();
    let swaps = nexts
        .iter()
        .map(|next| storage.swap_identity(Some(&second), next));
    let swaps = join_all(swaps).await;
    let won: Vec<&Identity> = nexts
        .iter()
        .zip(swaps)
        .filter_map(|(next, swapped)| swapped.ok()?.then_some(next))
        .collect();
    assert_eq!(won.len(), 1, "G6: one of racing swaps succeeds");
    assert_eq!(
        load(&storage).await.as_ref(),
        won.first().copied(),
        "G6: that one"
    );
}

/// The history lasts, and a text of any size is kept whole.
pub async fn former_ids_survive_a_restart(harness: &mut dyn AdapterHarness) {
    let store = opened(harness);
    let first = store.identity().await.expect("G6: an identity").id;
    for _ in 0..20 {
        store.renew_identity().await.expect("G6: a new id");
    }
    let before = load(&harness.storage()).await;
    harness.restart().await;
    let kept = load(&harness.storage()).await;
    let expected = before.filter(|_| harness.capabilities().durable);
    assert_eq!(kept, expected, "G6: the history");
    let known = kept.and_then(|kept| kept.same_below(first));
    assert_eq!(
        known.is_some(),
        harness.capabilities().durable,
        "G6: {first}"
    );
}

async fn load(storage: &Arc<dyn Adapter>) -> Option<Identity> {
    storage.load_identity().await.expect("G6: to load")
}
