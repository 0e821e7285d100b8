//! A store with everything that can be moved.

use std::sync::Arc;
use std::time::Duration;

use ees_core::adapter::Import;
use ees_core::consumer::{Ack, Claim, ConsumerDefinition, Failure};
use ees_core::{
    Changeset, Checkpoint, CheckpointStore, EventStore, Events, Expectation, GlobalPage, Json,
    NewChangeset, NewSet, PageLimit, Timestamp,
};
use ees_evidence::{Export, Importer, MovableStore, MoveError};
use ees_memory::MemoryStorage;

/// A store in memory that can be moved, and its storage.
pub(crate) fn movable() -> (MovableStore, Arc<MemoryStorage>) {
    let storage = Arc::new(MemoryStorage::new());
    let store = EventStore::new(Arc::clone(&storage))
        .with_log(Arc::clone(&storage) as _)
        .with_consumers(Arc::clone(&storage) as _);
    let movable = MovableStore::new(&store, Arc::clone(&storage) as _, Arc::clone(&storage) as _);
    (movable, storage)
}

/// A store with payloads of every kind, sets, clients' keys, void positions, times before 1970, and readers.
pub(crate) async fn rich() -> (MovableStore, Arc<MemoryStorage>) {
    let (plain, _) = movable();
    let store = plain.store();
    let payloads = [
        "[1, 2]",
        "[{\n  \"type\": \"a\",\r\n  \"n\": 1.10\n}]",
        "[\"\u{2028}\u{2029}\u{85}\\u2028 \\\"é\\\\ 😀\"]",
        "[1e400, 12345678901234567890, \"\\ud83d\\ude00\"]",
    ];
    for (number, payload) in payloads.iter().enumerate() {
        let events = Events::parse(payload).unwrap();
        let last = store.head(&"a-1".parse().unwrap()).await.ok();
        let last = last.map_or(0, |head| head.last_changeset.get());
        let asked = NewChangeset::new(
            "a-1".parse().unwrap(),
            Expectation::LastChangeset(last),
            events,
        );
        let asked = asked.with_metadata(Json::parse("{ \"by\" : \"x\\u0000\" }").unwrap());
        let key = format!("key {number}").parse().unwrap();
        store.commit(asked.with_idempotency_key(key)).await.unwrap();
    }
    let one = |stream: &str| {
        let events = Events::parse("[{\"type\":\"b\"}]").unwrap();
        NewChangeset::new(stream.parse().unwrap(), Expectation::NEW_STREAM, events)
    };
    let set = NewSet::default().commit(one("b-1")).commit(one("b-2"));
    store.commit_all(set).await.unwrap();
    store.commit(one("c-1")).await.unwrap();

    // The same, with void positions and other times.
    let page = store
        .global_changesets(Checkpoint::FIRST, PageLimit::default())
        .await
        .unwrap();
    let moved = page.changesets.iter().map(|changeset| {
        let at = changeset.checkpoint.unwrap().get();
        Changeset {
            checkpoint: Some(
                Checkpoint::FIRST.plus(at + 3 * u64::from(at > 2) + u64::from(at > 5)),
            ),
            timestamp: Timestamp::from_micros(7 - i64::try_from(at).unwrap() * 1_000_003).unwrap(),
            ..changeset.clone()
        }
    });
    let changesets: Vec<_> = moved.collect();
    let next = changesets.last().unwrap().checkpoint.unwrap().plus(1);
    let (movable, storage) = movable();
    let page = GlobalPage { changesets, next };
    storage.import(Checkpoint::FIRST, &page).await.unwrap();
    readers(&movable, &storage).await;
    (movable, storage)
}

/// Subscriptions, and a consumer with a parked stream.
async fn readers(movable: &MovableStore, storage: &MemoryStorage) {
    for (name, at) in [("mail", 2), ("a \"view\"\n", 0), ("z", 9)] {
        let at = Checkpoint::FIRST.plus(at);
        storage.save_checkpoint(name, at).await.unwrap();
    }
    let consumers = movable.store().consumers().unwrap();
    let definition = ConsumerDefinition {
        partitions: 2,
        retry_seconds: vec![],
        ..ConsumerDefinition::default()
    };
    for name in ["billing", "idle"] {
        consumers
            .define(&name.parse().unwrap(), &definition)
            .await
            .unwrap();
    }
    let name = "billing".parse().unwrap();
    let claim = Claim::new("w").limit(2);
    let batch = consumers.claim(&name, claim, Duration::ZERO).await.unwrap();
    let batch = batch.unwrap();
    let first = &batch.changesets[0];
    let ack = Ack {
        generation: batch.generation,
        checkpoint: batch.next,
        failed: vec![Failure {
            stream_id: first.stream_id.clone(),
            changeset_id: first.changeset_id,
            error: "no \u{1F4A5}".to_owned(),
        }],
    };
    consumers
        .acknowledge(&name, batch.partition, &ack, None)
        .await
        .unwrap();
}

/// All lines of an export.
pub(crate) async fn lines(source: &MovableStore, from: u64) -> Result<Vec<String>, MoveError> {
    let mut export = Export::begin(source, Checkpoint::FIRST.plus(from)).await?;
    let mut lines = Vec::new();
    while let Some(parts) = export.next().await? {
        lines.extend(parts.iter().map(ees_evidence::Part::to_line));
    }
    Ok(lines)
}

/// Imports lines.
pub(crate) async fn import<L: AsRef<str>>(
    target: &MovableStore,
    lines: impl IntoIterator<Item = L>,
) -> Result<ees_evidence::Imported, MoveError> {
    let mut import = Importer::new(target);
    for line in lines {
        import.push_line(line.as_ref()).await?;
    }
    import.finish()
}

/// Everything in the order.
pub(crate) async fn all(movable: &MovableStore) -> Vec<Changeset> {
    let mut from = Checkpoint::FIRST;
    let mut all = Vec::new();
    loop {
        let page = movable
            .store()
            .poll_changesets(from, PageLimit::default())
            .await
            .unwrap();
        if page.changesets.is_empty() {
            return all;
        }
        all.extend(page.changesets);
        from = page.next;
    }
}
