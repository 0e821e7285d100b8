//! Sealing during commits, failures of the storage and damage.

use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use ees_core::adapter::{LogStore, StoredLogHead, Tile, TileId};
use ees_core::{Events, Expectation, NewChangeset, Written};
use ees_evidence::Log;
use ees_memory::MemoryStorage;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};

use super::*;

/// A place for a log that fails at first, and counts its calls.
struct Failing {
    memory: MemoryStorage,
    left: AtomicU32,
    calls: AtomicU32,
}

#[async_trait]
impl LogStore for Failing {
    async fn load_log_head(&self) -> Result<Option<StoredLogHead>, StorageError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.memory.load_log_head().await
    }

    async fn load_tile(&self, tile: TileId) -> Result<Option<Vec<u8>>, StorageError> {
        self.memory.load_tile(tile).await
    }

    async fn seal(
        &self,
        previous: Option<u64>,
        next: &StoredLogHead,
        tiles: &[Tile],
    ) -> Result<bool, StorageError> {
        let left = self.left.load(Ordering::Relaxed);
        if left > 0 {
            self.left.store(left - 1, Ordering::Relaxed);
            return Err(StorageError::unavailable("for a while", Written::Unknown));
        }
        self.memory.seal(previous, next, tiles).await
    }
}

fn store(left: u32) -> (EventStore, Arc<Failing>) {
    let log = Arc::new(Failing {
        memory: MemoryStorage::new(),
        left: AtomicU32::new(left),
        calls: AtomicU32::new(0),
    });
    let store = EventStore::new(Arc::new(MemoryStorage::new()));
    (store.with_log(Arc::clone(&log) as _), log)
}

async fn commit(store: &EventStore, stream: &str) {
    let events = Events::parse("[1]").unwrap();
    let asked = NewChangeset::new(stream.parse().unwrap(), Expectation::NEW_STREAM, events);
    store.commit(asked).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn it_seals_what_comes_although_the_storage_fails() {
    let (store, _) = store(3);
    commit(&store, "before").await;
    let closing = CancellationToken::new();
    let sealer = Sealer::of(&store, None).unwrap();
    let sealing = tokio::spawn(seal_log(store.clone(), sealer, closing.clone()));
    let log = Log::of(&store).unwrap();
    for (stream, size) in [("s", 2), ("t", 3)] {
        commit(&store, stream).await;
        while log
            .head()
            .await
            .unwrap()
            .is_none_or(|head| head.size < size)
        {
            sleep(Duration::from_millis(10)).await;
        }
    }
    closing.cancel();
    sealing.await.unwrap();
}

/// Damage is tried again twice a minute, not in a tight loop, and counted.
#[tokio::test(start_paused = true)]
async fn damage_is_not_hammered_at() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let (store, log) = store(0);
    let broken = StoredLogHead {
        revision: 0,
        document: "{}".to_owned(),
    };
    assert!(log.memory.seal(None, &broken, &[]).await.unwrap());
    commit(&store, "s").await;
    let sealer = Sealer::of(&store, None).unwrap();
    let minutes = tokio::time::timeout(Duration::from_secs(100), seal(&store, &sealer));
    let guard = metrics::set_default_local_recorder(&recorder);
    minutes.await.unwrap_err();
    drop(guard);
    assert_eq!(log.calls.load(Ordering::Relaxed), 4);
    let counted = snapshotter.snapshot().into_vec().into_iter();
    let counted: Vec<_> = counted
        .map(|(key, _, _, value)| {
            let label = key.key().labels().next().unwrap().value().to_owned();
            (key.key().name().to_owned(), label, value)
        })
        .collect();
    let expected = (
        "ees_seal_failures_total".to_owned(),
        "corrupt".to_owned(),
        DebugValue::Counter(4),
    );
    assert!(counted.contains(&expected), "{counted:?}");
}
