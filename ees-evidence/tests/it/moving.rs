//! What is exported and imported is the same (G14).

use ees_core::consumer::{Claim, ConsumerDefinition};
use ees_core::{Checkpoint, CheckpointStore, Error};
use ees_evidence::{Export, Importer, Log, MoveError, Part, Sealer};

use crate::rich::{all, import, lines, movable, rich};
use crate::scene::commit;

/// Every field, every void position and every reader comes through, and the second export is the first.
#[tokio::test]
async fn a_moved_store_is_the_same() {
    let (source, _) = rich().await;
    let (target, storage) = movable();
    let exported = lines(&source, 0).await.unwrap();
    assert!(exported.iter().all(|line| !line.contains(['\n', '\r'])));
    let imported = import(&target, &exported).await.unwrap();
    assert_eq!((imported.size, imported.changesets), (11, 7));
    assert_eq!(imported.progress.subscriptions, 3);
    assert_eq!(imported.progress.consumers, 2);
    assert_eq!(imported.progress.kept_count, 0);
    assert_eq!(all(&target).await, all(&source).await);
    let again = lines(&target, 0).await.unwrap();
    // The first line has the store's own id, and the last ones its hash.
    let same = |lines: &[String]| -> Vec<String> {
        let inner = lines[1..].iter().filter(|line| !line.contains("\"check\""));
        inner.cloned().collect()
    };
    assert_eq!(same(&again), same(&exported));

    // Readers go on: one that names the source's id, a subscription, a consumer, and its parked stream.
    let from = source.store().identity().await.unwrap().id;
    let error = target.store().check_store(from).await.unwrap_err();
    let Error::OtherStore(other) = error else {
        panic!("{error}")
    };
    assert_eq!(other.same_below, Some(Checkpoint::FIRST.plus(11)));
    let saved = storage.load_checkpoint("mail").await.unwrap();
    assert_eq!(saved, Some(Checkpoint::FIRST.plus(2)));
    let consumers = target.store().consumers().unwrap();
    let billing = "billing".parse().unwrap();
    let parked = consumers.parked(&billing, None, 9).await.unwrap();
    let theirs = source.store().consumers().unwrap();
    assert_eq!(parked, theirs.parked(&billing, None, 9).await.unwrap());
    assert_eq!(parked.items.len(), 1);
    let wait = std::time::Duration::ZERO;
    let batch = consumers.claim(&billing, Claim::new("x"), wait).await;
    let expected = theirs.claim(&billing, Claim::new("x"), wait).await;
    assert_eq!(
        batch.unwrap().map(|batch| batch.changesets),
        expected.unwrap().map(|batch| batch.changesets)
    );

    // The log goes on from that of the source.
    let log = Log::of(target.store()).unwrap().head().await.unwrap();
    let parent = log.unwrap().parent.unwrap();
    assert_eq!((parent.store, parent.size), (from, 11));
    assert_eq!(parent.root, imported.root);
    let sealed = Sealer::of(source.store(), None).unwrap().catch_up().await;
    assert_eq!(sealed.unwrap().root.to_string(), imported.root);
}

/// However often an import is stopped, anywhere, the next one goes on.
#[tokio::test]
async fn a_stopped_import_goes_on() {
    let (source, _) = rich().await;
    let exported = lines(&source, 0).await.unwrap();
    let (target, _) = movable();
    for stop in 1..exported.len() {
        let stopped = import(&target, &exported[..stop]).await;
        assert!(
            matches!(stopped, Err(MoveError::Truncated { .. })),
            "{stopped:?}"
        );
    }
    let done = import(&target, &exported).await.unwrap();
    assert_eq!((done.changesets, done.progress.kept_count), (0, 0));
    assert_eq!(all(&target).await, all(&source).await);
    // Once more is harmless, also into the store itself.
    import(&target, &exported).await.unwrap();
    let before = source.store().identity().await.unwrap();
    import(&source, &exported).await.unwrap();
    assert_eq!(source.store().identity().await.unwrap(), before);
}

/// An export from a checkpoint on goes behind what was imported before, over blocks and pages.
#[tokio::test]
async fn exports_continue_each_other() {
    let (source, storage) = movable();
    let (target, _) = movable();
    let mut files = Vec::new();
    let mut from = 0;
    for count in [1500, 1, 0, 700] {
        commit(source.store(), count).await;
        storage
            .save_checkpoint("s", Checkpoint::FIRST.plus(from))
            .await
            .unwrap();
        files.push(lines(&source, from).await.unwrap());
        // Whether the log is sealed or not, the root of what is before is the same.
        if from > 0 {
            Sealer::of(source.store(), None)
                .unwrap()
                .catch_up()
                .await
                .unwrap();
        }
        from = source.store().next_checkpoint().await.unwrap().get();
    }
    let behind = import(&target, &files[3]).await.unwrap_err();
    assert!(matches!(behind, MoveError::Behind { .. }), "{behind}");
    for file in &files[..3] {
        let mut import = Importer::new(&target).without_progress();
        for line in file {
            import.push_line(line).await.unwrap();
        }
        import.finish().unwrap();
    }
    let done = import(&target, &files[3]).await.unwrap();
    assert_eq!((done.size, done.changesets), (2201, 700));
    assert_eq!(done.progress.subscriptions, 1);
    assert_eq!(all(&target).await, all(&source).await);
    let identity = target.store().identity().await.unwrap();
    let source_id = source.store().identity().await.unwrap().id;
    assert_eq!(
        identity.same_below(source_id),
        Some(Checkpoint::FIRST.plus(2201))
    );
    let ahead = import(&target, &files[0]).await.unwrap_err();
    assert!(matches!(ahead, MoveError::Ahead { .. }), "{ahead}");

    let beyond = Export::begin(&source, Checkpoint::FIRST.plus(2202)).await;
    assert!(
        matches!(beyond, Err(MoveError::BeyondEnd { .. })),
        "{beyond:?}"
    );
}

/// What is committed while an export runs is not in it, and no reader is beyond its end.
#[tokio::test]
async fn an_export_ends_where_it_began() {
    let (source, storage) = movable();
    commit(source.store(), 1200).await;
    let consumers = source.store().consumers().unwrap();
    let name = "c".parse().unwrap();
    consumers
        .define(&name, &ConsumerDefinition::default())
        .await
        .unwrap();
    let mut export = Export::begin(&source, Checkpoint::FIRST).await.unwrap();
    let mut exported = Vec::new();
    while let Some(parts) = export.next().await.unwrap() {
        commit(source.store(), 900).await;
        let end = source.store().next_checkpoint().await.unwrap();
        storage.save_checkpoint("s", end).await.unwrap();
        consumers.reset(&name, end).await.unwrap();
        exported.extend(parts.iter().map(Part::to_line));
    }
    let (target, storage) = movable();
    let done = import(&target, &exported).await.unwrap();
    assert_eq!(done.size, 1200);
    assert_eq!(all(&target).await, all(&source).await[..1200]);
    let end = Checkpoint::FIRST.plus(1200);
    assert_eq!(storage.load_checkpoint("s").await.unwrap(), Some(end));
    let consumers = target.store().consumers().unwrap();
    let report = consumers.report(&name).await.unwrap();
    assert_eq!(report.partitions[0].checkpoint, end);
}

/// What the store has otherwise stays: its changesets are refused, its readers are kept.
#[tokio::test]
async fn what_stands_is_not_replaced() {
    let (source, _) = rich().await;
    let exported = lines(&source, 0).await.unwrap();
    let (target, storage) = movable();
    commit(target.store(), 3).await;
    let before = all(&target).await;
    let differs = import(&target, &exported).await.unwrap_err();
    assert!(
        matches!(differs, MoveError::Differs(at) if at == Checkpoint::FIRST),
        "{differs}"
    );
    assert_eq!(all(&target).await, before);

    let (target, _) = movable();
    commit(source.store(), 20).await;
    let longer = lines(&source, 0).await.unwrap();
    import(&target, &exported).await.unwrap();
    commit(target.store(), 2).await;
    let differs = import(&target, &longer).await.unwrap_err();
    assert!(
        matches!(differs, MoveError::Differs(at) if at == Checkpoint::FIRST.plus(11)),
        "{differs}"
    );
    let later = lines(&source, 13).await.unwrap();
    let differs = import(&target, &later).await.unwrap_err();
    assert!(matches!(differs, MoveError::DiffersBelow(_)), "{differs}");
    drop(storage);

    let (target, storage) = movable();
    storage
        .save_checkpoint("mail", Checkpoint::FIRST)
        .await
        .unwrap();
    let consumers = target.store().consumers().unwrap();
    consumers
        .define(&"billing".parse().unwrap(), &ConsumerDefinition::default())
        .await
        .unwrap();
    let done = import(&target, &exported).await.unwrap();
    assert_eq!(
        done.progress.kept,
        ["subscription mail", "consumer billing"]
    );
    assert_eq!(
        (done.progress.subscriptions, done.progress.consumers),
        (2, 1)
    );
    let kept = storage.load_checkpoint("mail").await.unwrap();
    assert_eq!(kept, Some(Checkpoint::FIRST));
}

/// More parked streams than one change of a partition may have, stopped and repeated.
#[tokio::test]
async fn many_parked_streams_come_through() {
    use ees_core::adapter::{ConsumerStore, ParkedWrite, StoredPartition};
    let (source, storage) = rich().await;
    let consumers = source.store().consumers().unwrap();
    let idle = storage.load_consumer("idle").await.unwrap().unwrap();
    let id = serde_json::from_str::<serde_json::Value>(&idle).unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let slots: Vec<u16> = (0..150).collect();
    let mut previous = None;
    for chunk in slots.chunks(64) {
        let document = serde_json::json!({
            "checkpoint": 5, "generation": 1, "retries": 0, "served": 0, "slots": slots,
        });
        let revision = 1000 + u64::from(chunk[0]);
        let next = StoredPartition {
            revision,
            document: document.to_string(),
        };
        let parked: Vec<_> = chunk
            .iter()
            .map(|slot| {
                ParkedWrite {
            slot: *slot,
            document: Some(serde_json::json!({
                "slot": slot, "stream_id": format!("p-{slot}"), "from_changeset": 1, "position": 0,
                "attempts": 1, "error": "x", "since": "2026-01-01T00:00:00Z", "next_try": null,
                "catching_up": false,
            }).to_string()),
        }
            })
            .collect();
        assert!(
            storage
                .swap_partition(&id, 0, previous, &next, &parked)
                .await
                .unwrap()
        );
        previous = Some(revision);
    }
    let name = "idle".parse().unwrap();
    let parked = consumers.parked(&name, None, 1000).await.unwrap();
    assert_eq!(parked.items.len(), 150);
    let (target, stored) = movable();
    // A call that stopped after the first change.
    let exported = lines(&source, 0).await.unwrap();
    let line = exported
        .iter()
        .find(|line| line.contains("\"of\":\"idle"))
        .unwrap();
    let Part::Partition(partition) = Part::of_line(line).unwrap() else {
        panic!()
    };
    let first: Vec<_> = partition.parked[..64]
        .iter()
        .map(|(slot, document)| ParkedWrite {
            slot: *slot,
            document: Some(document.clone()),
        })
        .collect();
    let next = StoredPartition {
        revision: partition.revision - 2,
        document: partition.document.clone(),
    };
    assert!(
        stored
            .swap_partition(&id, 0, None, &next, &first)
            .await
            .unwrap()
    );
    let done = import(&target, &exported).await.unwrap();
    assert_eq!(done.progress.kept_count, 0);
    let moved = target
        .store()
        .consumers()
        .unwrap()
        .parked(&name, None, 1000)
        .await
        .unwrap();
    assert_eq!(moved, parked);
}

/// A changeset that is larger than the store takes is told, and its position.
#[tokio::test]
async fn a_changeset_that_is_too_large_is_told() {
    use ees_core::{EventStore, Events, Expectation, NewChangeset};
    use ees_evidence::MovableStore;
    use ees_memory::MemoryStorage;
    use std::sync::Arc;
    let (source, _) = movable();
    commit(source.store(), 2).await;
    let large = format!("[\"{}\"]", "\\\"".repeat(3_000_000));
    let events = Events::parse(&large).unwrap();
    let asked = NewChangeset::new("l".parse().unwrap(), Expectation::NEW_STREAM, events);
    source.store().commit(asked).await.unwrap();
    let exported = lines(&source, 0).await.unwrap();
    let small = Arc::new(MemoryStorage::with_max_changeset_bytes(1000));
    let store = EventStore::new(Arc::clone(&small));
    let target = MovableStore::new(&store, Arc::clone(&small) as _, small as _);
    let error = import(&target, &exported).await.unwrap_err();
    assert!(
        matches!(error, MoveError::TooLarge { checkpoint, .. } if checkpoint == Checkpoint::FIRST.plus(2)),
        "{error}"
    );
    let (target, _) = movable();
    let longest = exported.iter().map(String::len).max().unwrap();
    assert!(longest < Importer::new(&target).max_line_bytes());
    import(&target, &exported).await.unwrap();
    let moved = all(&target).await;
    assert_eq!(moved[2].events.as_str(), large);
}
