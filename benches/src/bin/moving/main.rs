//! Measures exports, verifications and imports of a SQLite store of 1 KB changesets: against a bare scan of its
//! order, and against bare inserts in batches.
//!
//! `cargo run --release -p benches --bin moving`.
// A benchmark panics if it cannot continue.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::cast_precision_loss)]

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use clap::Parser;
use ees_core::adapter::StoredChangeset;
use ees_core::{Changeset, Checkpoint, EventStore};
use ees_evidence::{Export, Importer, MovableStore, Sealer, Verification};
use ees_sqlite::{SqliteConfig, SqliteStorage};
use rusqlite::{Connection, params};

/// The arguments.
#[derive(Parser)]
struct Args {
    /// How many changesets the store has.
    #[arg(long, default_value_t = 100_000)]
    changesets: u64,
    /// How many changesets a stream has.
    #[arg(long, default_value_t = 10)]
    per_stream: u64,
    /// Only this step, for a profile.
    #[arg(long)]
    only: Option<String>,
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("source.db");
    let source = open(&file).await;
    fill(&args, &source.1).await;
    if let Some(only) = &args.only {
        for _ in 0..10 {
            match only.as_str() {
                "scan" => scan(&file),
                "export" => drop(export(&source.0).await),
                "seal" => drop(
                    Sealer::of(source.0.store(), None)
                        .unwrap()
                        .catch_up()
                        .await
                        .unwrap(),
                ),
                _ => drop(
                    Verification::new(source.0.store())
                        .run(|_, _| {})
                        .await
                        .unwrap(),
                ),
            }
        }
        return;
    }
    let begun = Instant::now();
    scan(&file);
    let scan = tell(&args, "bare scan", begun, None);
    let before = size(&file);
    let begun = Instant::now();
    let sealer = Sealer::of(source.0.store(), None).unwrap();
    sealer.catch_up().await.unwrap();
    tell(&args, "seal", begun, Some(scan));
    let grown = size(&file) - before;
    println!(
        "  {:.1} bytes for each changeset",
        grown as f64 / args.changesets as f64
    );
    let begun = Instant::now();
    let lines = export(&source.0).await;
    tell(&args, "export", begun, Some(scan));
    let verified = rate(&args, "verify", async {
        let verified = Verification::new(source.0.store()).run(|_, _| {}).await;
        assert!(verified.unwrap().findings.is_empty());
    });
    println!("  {:.2}x of the scan", verified.await / scan);

    let begun = Instant::now();
    insert(&args, &folder.path().join("bare.db"));
    let inserts = tell(&args, "bare inserts in batches of 1000", begun, None);
    let target = open(&folder.path().join("target.db")).await;
    let begun = Instant::now();
    let mut import = Importer::new(&target.0);
    for line in &lines {
        import.push_line(line).await.unwrap();
    }
    import.finish().unwrap();
    tell(&args, "import", begun, Some(inserts));
}

async fn open(file: &Path) -> (MovableStore, Arc<SqliteStorage>) {
    let config: SqliteConfig = format!("sqlite:{}", file.display()).parse().unwrap();
    let storage = Arc::new(SqliteStorage::open(&config).await.unwrap());
    let store = EventStore::new(Arc::clone(&storage))
        .with_consumers(Arc::clone(&storage) as _)
        .with_log(Arc::clone(&storage) as _);
    let movable = MovableStore::new(&store, Arc::clone(&storage) as _, Arc::clone(&storage) as _);
    (movable, storage)
}

fn events() -> String {
    format!("[{{\"type\":\"placed\",\"text\":\"{}\"}}]", "x".repeat(980))
}

async fn fill(args: &Args, storage: &SqliteStorage) {
    let events = events();
    let changeset = |at: u64| {
        let id = i64::try_from(at % args.per_stream + 1).unwrap();
        let stored = StoredChangeset {
            stream_id: &format!("order-{}", at / args.per_stream),
            changeset_id: id,
            first_event_id: id,
            last_event_id: id,
            timestamp_micros: 1_700_000_000_000_000 + i64::try_from(at).unwrap(),
            commit_id: &format!("key-{at}"),
            set: None,
            events: &events,
            metadata: "{}",
            checkpoint: Some(i64::try_from(at).unwrap()),
        };
        Changeset::try_from(stored).unwrap()
    };
    benches::fill::fill(storage, args.changesets, changeset).await;
}

/// The size of a store, in bytes.
fn size(file: &Path) -> u64 {
    let connection = Connection::open(file).unwrap();
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
    pragma("page_count").unwrap() * pragma("page_size").unwrap()
}

/// Reads all columns of the order.
fn scan(file: &Path) {
    let connection = Connection::open(file).unwrap();
    let select =
        "SELECT stream_id, changeset_id, first_event_id, last_event_id, timestamp, commit_id,
        metadata, events FROM changesets ORDER BY checkpoint";
    let mut statement = connection.prepare(select).unwrap();
    let mut rows = statement.query([]).unwrap();
    let mut bytes = 0;
    while let Some(row) = rows.next().unwrap() {
        for text in [0, 5, 6, 7] {
            bytes += row.get_ref(text).unwrap().as_str().unwrap().len();
        }
        for number in 1..=4 {
            black_box(row.get::<_, i64>(number).unwrap());
        }
    }
    black_box(bytes);
}

async fn export(source: &MovableStore) -> Vec<String> {
    let mut export = Export::begin(source, Checkpoint::FIRST).await.unwrap();
    let mut lines = Vec::new();
    while let Some(parts) = export.next().await.unwrap() {
        lines.extend(parts.iter().map(ees_evidence::Part::to_line));
    }
    lines
}

/// Inserts into a table of the same columns with its two indexes, in transactions of 1000 rows.
fn insert(args: &Args, file: &Path) {
    let mut connection = Connection::open(file).unwrap();
    let schema = "
        PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
        CREATE TABLE changesets (checkpoint INTEGER PRIMARY KEY, stream_id TEXT, changeset_id INTEGER,
            first_event_id INTEGER, last_event_id INTEGER, timestamp INTEGER, commit_id TEXT,
            metadata TEXT, events TEXT) STRICT;
        CREATE UNIQUE INDEX by_stream ON changesets (stream_id, changeset_id);";
    connection.execute_batch(schema).unwrap();
    let events = events();
    for first in (0..args.changesets).step_by(1000) {
        let transaction = connection.transaction().unwrap();
        let insert = "INSERT INTO changesets VALUES (?1, ?2, ?3, ?3, ?3, ?4, ?5, '{}', ?6)";
        let mut statement = transaction.prepare_cached(insert).unwrap();
        for at in first..(first + 1000).min(args.changesets) {
            let number = i64::try_from(at).unwrap();
            let stream = format!("order-{}", at / args.per_stream);
            let id = i64::try_from(at % args.per_stream + 1).unwrap();
            let key = format!("key-{at}");
            let row = params![
                number,
                stream,
                id,
                1_700_000_000_000_000 + number,
                key,
                events
            ];
            statement.execute(row).unwrap();
        }
        drop(statement);
        transaction.commit().unwrap();
    }
}

async fn rate(args: &Args, name: &str, task: impl Future<Output = ()>) -> f64 {
    let begun = Instant::now();
    task.await;
    tell(args, name, begun, None)
}

#[allow(clippy::cast_precision_loss, reason = "a rate is a rough figure")]
fn tell(args: &Args, name: &str, begun: Instant, against: Option<f64>) -> f64 {
    let rate = args.changesets as f64 / begun.elapsed().as_secs_f64();
    match against {
        Some(against) => println!("{name}: {rate:.0}/s, {:.2}x", rate / against),
        None => println!("{name}: {rate:.0}/s"),
    }
    rate
}
