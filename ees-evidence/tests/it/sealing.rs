//! Sealing: behind the commits, by any number of sealers.

use std::sync::Arc;

use ees_core::EventStore;
use ees_core::adapter::{LogStore, StoredLogHead, Tile, TileId};
use ees_evidence::{Log, LogError, LogKey, Sealer, SignedHead};

use crate::scene::{commit, leaves, root, store};

/// However often it is sealed between commits, the log is the same.
#[tokio::test]
async fn a_log_depends_on_the_order_alone() {
    let (store, _) = store();
    let sealer = Sealer::of(&store, None).unwrap();
    assert_eq!(sealer.catch_up().await.unwrap().size, 0);
    assert_eq!(Log::of(&store).unwrap().head().await.unwrap(), None);
    for count in [1, 1, 254, 1, 300] {
        commit(&store, count).await;
        let head = sealer.catch_up().await.unwrap();
        let leaves = leaves(&store).await;
        assert_eq!(head.size, leaves.len() as u64);
        assert_eq!(head.root, root(&leaves), "{}", head.size);
        assert_eq!(
            Log::of(&store).unwrap().head().await.unwrap().unwrap().root,
            head.root
        );
    }
}

/// Sealers that work at once seal the order once.
#[tokio::test]
async fn sealers_at_once_make_one_log() {
    let (store, _) = store();
    commit(&store, 700).await;
    let sealers = (0..4).map(|_| {
        let sealer = Sealer::of(&store, None).unwrap();
        async move { sealer.catch_up().await.unwrap() }
    });
    let heads: Vec<_> = futures_util::future::join_all(sealers).await;
    let root = root(&leaves(&store).await);
    assert!(heads.iter().all(|head| head.root == root));
}

/// Without a key nothing is signed, and what others have signed is kept.
#[tokio::test]
async fn only_a_sealer_with_a_key_replaces_a_signed_head() {
    let (store, _) = store();
    let id = store.identity().await.unwrap().id;
    let key = LogKey::generate("example.com/a").unwrap();
    let public = key.verifier_key(id);
    let unsigned = Sealer::of(&store, None).unwrap();
    let signing = Sealer::of(&store, Some(key)).unwrap().keeping(2);
    commit(&store, 1).await;
    assert_eq!(unsigned.catch_up().await.unwrap().signed, []);
    let log = Log::of(&store).unwrap();
    let missing = log.proof(ees_core::Checkpoint::FIRST, None).await;
    assert!(
        matches!(missing, Err(LogError::NotSigned { size: None })),
        "{missing:?}"
    );
    let mut sizes = Vec::new();
    for sealer in [&signing, &unsigned, &signing, &signing, &unsigned] {
        commit(&store, 1).await;
        let head = sealer.catch_up().await.unwrap();
        assert_eq!(head.size, store.next_checkpoint().await.unwrap().get());
        sizes.push(
            head.signed
                .iter()
                .map(|signed| signed.size)
                .collect::<Vec<_>>(),
        );
        for signed in &head.signed {
            let opened = SignedHead::open(&signed.note, Some(&public)).unwrap();
            assert_eq!(opened.size, signed.size);
            let leaves = leaves(&store).await;
            let until = usize::try_from(signed.size).unwrap();
            assert_eq!(opened.root, root(&leaves[..until]));
        }
    }
    assert_eq!(
        sizes,
        [vec![2], vec![2], vec![2, 4], vec![4, 5], vec![4, 5]]
    );
    log.proof(ees_core::Checkpoint::FIRST, Some(4))
        .await
        .unwrap();
    let gone = log.proof(ees_core::Checkpoint::FIRST, Some(2)).await;
    assert!(
        matches!(gone, Err(LogError::NotSigned { size: Some(2) })),
        "{gone:?}"
    );
}

/// A store with a new id has a log of its own, which says from which log it goes on.
#[tokio::test]
async fn a_restored_store_goes_on_from_its_parent() {
    let (store, _) = store();
    let before = store.identity().await.unwrap().id;
    let key = LogKey::generate("example.com/a").unwrap();
    commit(&store, 5).await;
    let sealer = Sealer::of(&store, Some(key.clone())).unwrap();
    let old = sealer.catch_up().await.unwrap();
    store.renew_identity().await.unwrap();
    let id = store.identity().await.unwrap().id;
    Sealer::of(&store, None).unwrap().catch_up().await.unwrap();
    let log = Log::of(&store).unwrap();
    let moved = log.head().await.unwrap().unwrap();
    assert_eq!(
        (moved.size, moved.signed.len(), moved.parent.unwrap().store),
        (5, 0, before)
    );
    let sealer = Sealer::of(&store, Some(key.clone())).unwrap();
    let signed = sealer.catch_up().await.unwrap();
    assert_eq!(signed.signed[0].size, 5, "what stands is signed at once");
    assert_eq!(signed, log.head().await.unwrap().unwrap());
    assert_eq!(sealer.catch_up().await.unwrap(), signed, "and only once");
    commit(&store, 1).await;
    let new = sealer.catch_up().await.unwrap();
    let parent = new.parent.unwrap();
    assert_eq!(
        (parent.store, parent.size, parent.root),
        (before, 5, old.root.to_string())
    );
    let sizes: Vec<_> = new.signed.iter().map(|signed| signed.size).collect();
    assert_eq!(sizes, [6], "heads of the former log are not this log's");
    let public = key.verifier_key(id);
    SignedHead::open(&new.signed[0].note, Some(&public)).unwrap();
    let refused = SignedHead::open(&new.signed[0].note, Some(&key.verifier_key(before)));
    refused.unwrap_err();
}

/// A stored log that is not one is told, and never sealed further.
#[tokio::test]
async fn a_damaged_log_is_told() {
    let (store, storage) = store();
    commit(&store, 300).await;
    let sealer = Sealer::of(&store, None).unwrap();
    sealer.catch_up().await.unwrap();
    let stored = storage.load_log_head().await.unwrap().unwrap();
    let replace = async |document: String| {
        let revision = storage.load_log_head().await.unwrap().unwrap().revision;
        let next = StoredLogHead {
            revision: revision + 1,
            document,
        };
        assert!(storage.seal(Some(revision), &next, &[]).await.unwrap());
    };
    let document = &stored.document;
    for wrong in [
        "{}".to_owned(),
        document.replace("\"size\":300", "\"size\":301"),
        document.replace("\"size\":300", "\"size\":556"),
        document.replacen('A', "B", 1),
    ] {
        assert_ne!(&wrong, document);
        replace(wrong).await;
        commit(&store, 1).await;
        sealer.catch_up().await.unwrap_err();
        Log::of(&store)
            .unwrap()
            .consistency(1, 2)
            .await
            .unwrap_err();
    }
    replace(stored.document).await;
    sealer.catch_up().await.unwrap();

    // A tile that others filled with something else.
    let id = TileId {
        level: 0,
        number: 2,
    };
    let other = Tile {
        id,
        hashes: vec![7; 8192],
    };
    let head = storage.load_log_head().await.unwrap().unwrap();
    let next = StoredLogHead {
        revision: head.revision + 1,
        ..head.clone()
    };
    assert!(
        storage
            .seal(Some(head.revision), &next, &[other])
            .await
            .unwrap()
    );
    commit(&store, 500).await;
    let error = sealer.catch_up().await.unwrap_err();
    assert!(error.to_string().contains("tile 2 of level 0"), "{error}");
}

/// A store that was restored to a moment before its log is told.
#[tokio::test]
async fn a_log_beyond_the_order_is_told() {
    let (longer, storage) = store();
    commit(&longer, 3).await;
    Sealer::of(&longer, None).unwrap().catch_up().await.unwrap();
    let (shorter, _) = store();
    commit(&shorter, 2).await;
    let shorter = shorter.with_log(storage);
    let error = Sealer::of(&shorter, None).unwrap().catch_up().await;
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("size 3") && error.contains("ends at 2"),
        "{error}"
    );
}

/// The text of a key is read again, and nothing else is a key.
#[test]
fn keys_are_read_as_they_are_written() {
    let key = LogKey::generate("example.com/a").unwrap();
    let id = ees_core::StoreId::generate();
    let text = key.to_secret_text();
    let read = LogKey::parse(&format!("{text}\n")).unwrap();
    assert_eq!(read.verifier_key(id), key.verifier_key(id));
    assert!(!format!("{key:?}").contains(text.splitn(5, '+').nth(4).unwrap()));
    let changed = text.replacen("example", "examble", 1);
    for wrong in ["", "PRIVATE+KEY+a", "x", &changed, &text[1..]] {
        let error = LogKey::parse(wrong).unwrap_err();
        assert!(!error.to_string().contains("PRIVATE"), "{error}");
    }
    for name in ["", "a b", "a+b", "a\nb", "a\u{7f}"] {
        LogKey::generate(name).unwrap_err();
    }
}

/// A store without a place for a log has none.
#[test]
fn a_store_without_a_log_has_no_sealer() {
    let store = EventStore::new(Arc::new(ees_memory::MemoryStorage::new()));
    assert!(Sealer::of(&store, None).is_none());
    assert!(Log::of(&store).is_none());
}
