//! Verifying: a sound store passes, and whatever is changed is found (G19).

use std::sync::Arc;

use ees_core::adapter::{StoredChangeset, TileId};
use ees_core::{Changeset, Checkpoint, EventStore, Projector};
use ees_evidence::{LogKey, SavedHead, Sealer, Verification, Verified, void_leaf};
use ees_memory::MemoryStorage;
use proptest::prelude::*;

use crate::damage::Damaged;
use crate::rich::rich;
use crate::scene::{commit, store};

async fn verified(store: &EventStore) -> Verified {
    Verification::new(store).run(|_, _| {}).await.unwrap()
}

async fn sealed(count: u64) -> (EventStore, Arc<MemoryStorage>, String) {
    let (store, storage) = store();
    commit(&store, count).await;
    let key = LogKey::generate("example.com/a").unwrap();
    let public = key.verifier_key(store.identity().await.unwrap().id);
    let sealer = Sealer::of(&store, Some(key)).unwrap();
    sealer.catch_up().await.unwrap();
    Projector::new(&store).catch_up().await.unwrap();
    (store, storage, public)
}

#[tokio::test]
async fn a_sound_store_passes() {
    let (plain, _, public) = sealed(700).await;
    let found = Verification::new(&plain)
        .with_key(&public)
        .run(|_, _| {})
        .await
        .unwrap();
    assert_eq!(found.findings, []);
    assert_eq!(
        (found.size, found.changesets, found.voids, found.sealed),
        (700, 700, 0, 700)
    );
    let kept = SavedHead::new(found.store, found.size, found.root);
    let read = SavedHead::read(&kept.to_string(), None).unwrap();
    assert_eq!(read, kept);
    let signed = SavedHead::read(&found.signed.unwrap(), Some(&public)).unwrap();
    assert_eq!(signed.root, found.root);
    SavedHead::read(&kept.to_string(), Some(&public)).unwrap_err();
    SavedHead::read("a\nb\nc", None).unwrap_err();
    // Later, and without the memory of the streams.
    commit(&plain, 30).await;
    let later = Verification::new(&plain).since(read).remembering(2);
    let later = later.run(|_, _| {}).await.unwrap();
    assert_eq!((later.findings, later.size), (vec![], 730));
    assert!(later.looked_up > 0);

    let (movable, _) = rich().await;
    let found = verified(movable.store()).await;
    assert_eq!(
        (found.findings, found.changesets, found.voids),
        (vec![], 7, 4)
    );
}

/// Changes one field of a changeset.
fn change(changeset: &Changeset, field: u8) -> Changeset {
    let text = |text: &str| text.to_owned();
    let (mut stream, mut commit, mut events, mut metadata) = (
        text(changeset.stream_id.as_str()),
        text(changeset.commit_id.as_str()),
        text(changeset.events.as_str()),
        text(changeset.metadata.as_str()),
    );
    let signed = |number: u64| i64::try_from(number).unwrap();
    let mut ids = [
        signed(changeset.changeset_id.get()),
        signed(changeset.first_event_id.get()),
        signed(changeset.last_event_id.get()),
        changeset.timestamp.as_micros(),
    ];
    let mut set = None;
    match field {
        0 => stream.push('x'),
        1 => commit.push('x'),
        2 => events = events.replace(']', " ]"),
        3 => metadata.push(' '),
        4 => set = Some(format!("1/2:{}", "0".repeat(64))),
        5 => ids[2] += 1,
        6 => ids[3] += 1,
        _ => ids[0] += 1,
    }
    Changeset::try_from(StoredChangeset {
        stream_id: &stream,
        changeset_id: ids[0],
        first_event_id: ids[1],
        last_event_id: ids[2],
        timestamp_micros: ids[3],
        commit_id: &commit,
        set: set.as_deref(),
        events: &events,
        metadata: &metadata,
        checkpoint: changeset.checkpoint.map(|at| signed(at.get())),
    })
    .unwrap()
}

fn at(checkpoint: u64) -> Checkpoint {
    Checkpoint::FIRST.plus(checkpoint)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Any field of any changeset, sealed: the first differing one is named.
    #[test]
    fn a_changed_changeset_is_named(place in 0_usize..600, field in 0_u8..8, more in prop::collection::vec(0_usize..600, 0..3)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (_, storage, _) = sealed(600).await;
            let (store, damaged) = Damaged::over(&storage);
            let mut places = more;
            places.push(place);
            let first = *places.iter().min().unwrap();
            *damaged.order.lock().unwrap() = Some(Box::new(move |mut order| {
                for place in &places {
                    order[*place] = change(&order[*place], field);
                }
                order
            }));
            let found = verified(&store).await;
            assert!(found.is_altered(), "{found:?}");
            assert_eq!(found.findings[0].checkpoint, Some(at(first as u64)), "{:?}", found.findings);
        });
    }

    /// Any byte of a tile, or of the head.
    #[test]
    fn a_changed_log_is_found(place in 0_usize..8192, bit in 0_u32..8, tile in 0_u64..2) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (_, storage, _) = sealed(600).await;
            let (store, damaged) = Damaged::over(&storage);
            *damaged.tile.lock().unwrap() = Some(Box::new(move |(id, bytes)| {
                let changed = bytes.map(|mut bytes: Vec<u8>| {
                    if id.number == tile {
                        bytes[place] ^= 1 << bit;
                    }
                    bytes
                });
                (id, changed)
            }));
            let found = verified(&store).await;
            assert!(found.is_altered());
            assert_eq!(found.findings[0].checkpoint, Some(at(tile * 256 + place as u64 / 32)));
            *damaged.tile.lock().unwrap() = None;
            assert!(verified(&store).await.findings.is_empty());
            *damaged.head.lock().unwrap() = Some(Box::new(move |document| {
                let mut bytes = document.clone().into_bytes();
                let place = place % bytes.len();
                bytes[place] ^= 1;
                // Nothing says what the revision of a document or the store's id was.
                String::from_utf8(bytes).unwrap_or_default()
            }));
            let found = verified(&store).await;
            let id = store.identity().await.unwrap().id.to_string();
            let head = ees_core::adapter::LogStore::load_log_head(&*damaged).await.unwrap().unwrap();
            let changes_the_id = !head.document.contains(&id) && found.findings.is_empty();
            assert!(found.is_altered() || changes_the_id || found.is_missing(), "{}", head.document);
        });
    }
}

#[tokio::test]
async fn what_is_missing_is_told() {
    let (plain, storage, _) = sealed(600).await;
    let (store, damaged) = Damaged::over(&storage);
    // A changeset.
    *damaged.order.lock().unwrap() = Some(Box::new(|mut order| {
        order.remove(400);
        order
    }));
    let found = verified(&store).await;
    assert!(
        found.is_missing() && !found.is_altered(),
        "{:?}",
        found.findings
    );
    assert_eq!(found.findings[0].checkpoint, Some(at(400)));
    // The end.
    *damaged.order.lock().unwrap() = None;
    *damaged.end.lock().unwrap() = Some(Box::new(|_| Checkpoint::FIRST.plus(599)));
    let found = verified(&store).await;
    assert!(found.is_missing(), "{:?}", found.findings);
    assert!(!found.is_altered(), "{:?}", found.findings);
    *damaged.end.lock().unwrap() = None;
    // Tiles of both levels.
    commit(&plain, 65_536).await;
    Sealer::of(&plain, None).unwrap().catch_up().await.unwrap();
    for (level, number) in [(0, 255), (1, 0)] {
        let gone = TileId { level, number };
        *damaged.tile.lock().unwrap() = Some(Box::new(move |(id, bytes)| {
            (id, bytes.filter(|_| id != gone))
        }));
        let tile = ees_core::adapter::LogStore::load_tile(&*damaged, gone)
            .await
            .unwrap();
        assert_eq!(tile, None);
        let found = verified(&store).await;
        assert!(
            found.is_missing() && !found.is_altered(),
            "{:?}",
            found.findings
        );
    }
}

#[tokio::test]
async fn order_ids_statistics_and_keys_are_checked() {
    let (plain, storage, public) = sealed(300).await;
    let (unsealed, raw) = store();
    commit(&unsealed, 300).await;
    // Without a log, what is known of streams tells it.
    let bare = EventStore::new(Damaged::over(&raw).1);
    assert_eq!(verified(&bare).await.findings, []);
    for field in [0, 5, 7] {
        let (_, damaged) = Damaged::over(&raw);
        *damaged.order.lock().unwrap() = Some(Box::new(move |mut order| {
            order[100] = change(&order[100], field);
            order
        }));
        let found = verified(&EventStore::new(damaged)).await;
        assert!(found.is_altered(), "{field}");
    }
    // Two changesets of a stream changed places.
    for remembered in [1_000_000, 1] {
        let (_, damaged) = Damaged::over(&raw);
        *damaged.order.lock().unwrap() = Some(Box::new(|mut order| {
            let (one, other) = (order[200].checkpoint, order[203].checkpoint);
            order.swap(200, 203);
            (order[200].checkpoint, order[203].checkpoint) = (one, other);
            order
        }));
        let verification = Verification::new(&EventStore::new(damaged)).remembering(remembered);
        let found = verification.run(|_, _| {}).await.unwrap();
        assert!(found.is_altered());
        assert_eq!(
            found.findings[0].checkpoint,
            Some(at(200)),
            "{:?}",
            found.findings
        );
    }

    let (store, damaged) = Damaged::over(&storage);
    for member in 0..4 {
        *damaged.statistics.lock().unwrap() = Some(Box::new(move |mut counts| {
            match member {
                0 => counts.total_streams += 1,
                1 => counts.total_changesets += 1,
                2 => counts.total_events += 1,
                _ => counts.max_stream_length += 1,
            }
            counts
        }));
        assert!(verified(&store).await.is_altered());
    }
    *damaged.statistics.lock().unwrap() = None;

    // A key that has not signed, a log that nobody has signed, another head that was kept.
    let other = LogKey::generate("example.com/b").unwrap();
    let id = plain.identity().await.unwrap().id;
    let wrong = Verification::new(&plain).with_key(other.verifier_key(id));
    assert!(wrong.run(|_, _| {}).await.unwrap().is_altered());
    Sealer::of(&unsealed, None)
        .unwrap()
        .catch_up()
        .await
        .unwrap();
    let unsigned = Verification::new(&unsealed).with_key(&public);
    let unsigned = unsigned.run(|_, _| {}).await.unwrap();
    assert!(unsigned.is_missing() && !unsigned.is_altered());
    let leaf = void_leaf();
    for size in [0, 100, 299] {
        let kept = SavedHead::new(id, size, leaf);
        let found = Verification::new(&plain)
            .since(kept)
            .run(|_, _| {})
            .await
            .unwrap();
        assert!(found.is_altered(), "{size}");
    }
    let kept = SavedHead::new(id, 301, leaf);
    let found = Verification::new(&plain)
        .since(kept)
        .run(|_, _| {})
        .await
        .unwrap();
    assert!(found.is_missing() && !found.is_altered());
}
