//! Measures exports, verifications and imports of a SQLite store of 1 KB changesets: against a bare scan of its
//! order, and against bare inserts in batches.
//!
//! `cargo run --release -p benches --bin moving`.
// A benchmark panics if it cannot continue.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::cast_precision_loss)]

mod bare;
mod rows;

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use clap::{Parser, ValueEnum};
use ees_core::adapter::Storage;
use ees_core::{Checkpoint, EventStore};
use ees_evidence::{Export, Importer, MovableStore, Part, Sealer, Verification};
use ees_postgres::{PostgresConfig, PostgresStorage};
use ees_postgres_testkit::{Database, Server};
use ees_sqlite::{SqliteConfig, SqliteStorage};
use rusqlite::Connection;

use crate::rows::{Rows, events};

/// That of `ees`.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The arguments.
#[derive(Parser)]
struct Args {
    #[command(flatten)]
    rows: Rows,
    /// Only makes the store, in this file, and leaves it there.
    #[arg(long)]
    fill: Option<PathBuf>,
    /// Only this step, ten times, for a profile.
    #[arg(long)]
    only: Option<Step>,
}

/// What a store is put through.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Step {
    Scan,
    Seal,
    Export,
    Verify,
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    let folder = tempfile::tempdir().unwrap();
    let file = args.fill.clone();
    let file = file.unwrap_or_else(|| folder.path().join("source.db"));
    let (source, storage) = open(&file).await;
    let text = events();
    let changeset = |at| args.rows.changeset(at, &text);
    benches::fill::fill(&*storage, args.rows.changesets, changeset).await;
    if args.fill.is_some() {
        return storage.close().await;
    }
    if let Some(only) = args.only {
        if matches!(only, Step::Verify) {
            take(Step::Seal, &source, &file).await;
        }
        for _ in 0..10 {
            let begun = Instant::now();
            take(only, &source, &file).await;
            tell(&args, "this step", begun, None);
        }
        return;
    }
    let begun = Instant::now();
    bare::scan(&file);
    let scan = tell(&args, "bare scan", begun, None);
    let before = size(&file);
    let begun = Instant::now();
    take(Step::Seal, &source, &file).await;
    tell(&args, "seal", begun, Some(scan));
    let grown = size(&file) - before;
    println!(
        "  {:.1} bytes for each changeset",
        grown as f64 / args.rows.changesets as f64
    );
    let begun = Instant::now();
    take(Step::Export, &source, &file).await;
    tell(&args, "export", begun, Some(scan));
    let begun = Instant::now();
    take(Step::Verify, &source, &file).await;
    tell(&args, "verify", begun, Some(scan));

    let lines = lines(&source).await;
    let begun = Instant::now();
    bare::insert_into_sqlite(args.rows, &folder.path().join("bare.db"));
    let inserts = tell(&args, "bare inserts in batches of 1000", begun, None);
    let (target, _) = open(&folder.path().join("target.db")).await;
    let begun = Instant::now();
    import(&lines, &target).await;
    tell(&args, "import", begun, Some(inserts));

    let server = Server::start().unwrap();
    let [plain, target] = [server.database().unwrap(), server.database().unwrap()];
    // It makes the tables.
    drop(open_postgres(&plain).await);
    let target = open_postgres(&target).await;
    let begun = Instant::now();
    bare::insert_into_postgres(args.rows, &plain).await;
    let inserts = tell(&args, "the same into PostgreSQL", begun, None);
    let begun = Instant::now();
    import(&lines, &target).await;
    tell(&args, "import into PostgreSQL", begun, Some(inserts));
}

/// Puts a store through a step.
async fn take(step: Step, source: &MovableStore, file: &Path) {
    match step {
        Step::Scan => bare::scan(file),
        Step::Seal => {
            let sealer = Sealer::of(source.store(), None).unwrap();
            sealer.catch_up().await.unwrap();
        }
        Step::Export => export(source).await,
        Step::Verify => {
            let verified = Verification::new(source.store()).run(|_, _| {}).await;
            assert!(verified.unwrap().findings.is_empty());
        }
    }
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

async fn open_postgres(database: &Database) -> MovableStore {
    let config: PostgresConfig = database.url().parse().unwrap();
    let storage = Arc::new(PostgresStorage::open(&config).await.unwrap());
    let store = EventStore::new(Arc::clone(&storage))
        .with_consumers(Arc::clone(&storage) as _)
        .with_log(Arc::clone(&storage) as _);
    MovableStore::new(&store, Arc::clone(&storage) as _, storage)
}

/// The size of a store, in bytes.
fn size(file: &Path) -> u64 {
    let connection = Connection::open(file).unwrap();
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
    pragma("page_count").unwrap() * pragma("page_size").unwrap()
}

/// Writes the lines of an export into one buffer, a page at a time, as `ees export` does.
async fn export(source: &MovableStore) {
    let mut export = Export::begin(source, Checkpoint::FIRST).await.unwrap();
    let mut lines = Vec::new();
    while let Some(parts) = export.next().await.unwrap() {
        lines.clear();
        for part in parts {
            part.write_line(&mut lines);
            lines.push(b'\n');
        }
        black_box(&lines);
    }
}

/// The lines of an export.
async fn lines(source: &MovableStore) -> Vec<String> {
    let mut export = Export::begin(source, Checkpoint::FIRST).await.unwrap();
    let mut lines = Vec::new();
    while let Some(parts) = export.next().await.unwrap() {
        lines.extend(parts.iter().map(Part::to_line));
    }
    lines
}

async fn import(lines: &[String], target: &MovableStore) {
    let mut import = Importer::new(target);
    for line in lines {
        import.push_line(line).await.unwrap();
    }
    import.finish().unwrap();
}

#[allow(clippy::cast_precision_loss, reason = "a rate is a rough figure")]
fn tell(args: &Args, name: &str, begun: Instant, against: Option<f64>) -> f64 {
    let rate = args.rows.changesets as f64 / begun.elapsed().as_secs_f64();
    match against {
        Some(against) => println!("{name}: {rate:.0}/s, {:.2}x", rate / against),
        None => println!("{name}: {rate:.0}/s"),
    }
    rate
}
