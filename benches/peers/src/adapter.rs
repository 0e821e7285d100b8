//! event-store-adapter-rs on SQLite, in process: WAL and `synchronous = FULL`, as the store has it.

use std::thread;
use std::time::{Duration, Instant};

use benches_kit::load::{self, STREAMS, Streams};
use benches_kit::report::per_second;
use chrono::Utc;
use event_store_adapter_rs::{
    AggregateId, EventEnvelope, EventStore, EventStoreForSqlite, SqliteOptions,
    initialize_sqlite_store,
};
use futures_util::FutureExt;
use serde_json::value::RawValue;
use tempfile::TempDir;

/// The id of a stream.
#[derive(Debug, Clone)]
struct Order(u64);

impl AggregateId for Order {
    fn type_name(&self) -> String {
        "order".to_owned()
    }

    fn value(&self) -> String {
        self.0.to_string()
    }
}

/// A store with a new file. It makes no snapshots.
pub(crate) struct Adapter {
    store: EventStoreForSqlite<Order, (), Box<RawValue>>,
    streams: Streams,
    _folder: TempDir,
}

impl Adapter {
    pub(crate) fn create() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("adapter.db");
        initialize_sqlite_store(&file, &SqliteOptions::default()).unwrap();
        Self {
            store: EventStoreForSqlite::open(&file, SqliteOptions::default()).unwrap(),
            streams: Streams::of_length(0),
            _folder: folder,
        }
    }

    /// Appends from concurrent threads, each to streams of its own: a call keeps its thread. Returns
    /// commits per second.
    pub(crate) fn append(&self, count: u64, length: Duration) -> f64 {
        let begun = Instant::now();
        let client = |first: u64| {
            let mut commits = 0;
            let own = (first..STREAMS).step_by(usize::try_from(count).unwrap());
            for stream in own.cycle() {
                if begun.elapsed() >= length {
                    break;
                }
                self.commit(stream);
                commits += 1;
            }
            commits
        };
        let commits = thread::scope(|scope| {
            let threads: Vec<_> = (0..count)
                .map(|first| scope.spawn(move || client(first)))
                .collect();
            let commits = threads.into_iter().map(|thread| thread.join().unwrap());
            commits.sum()
        });
        per_second(commits, begun.elapsed())
    }

    /// A changeset is one event of this store, as it commits each event by itself.
    fn commit(&self, stream: u64) {
        let last = self.streams.advance(stream);
        let payload = RawValue::from_string(load::body(last)).unwrap();
        let event = EventEnvelope::new(Order(stream), last + 1, Utc::now(), payload);
        // It waits for nothing but locks and the disk.
        let stored = self.store.persist_event(event).now_or_never();
        stored.expect("it blocks").unwrap();
    }
}
