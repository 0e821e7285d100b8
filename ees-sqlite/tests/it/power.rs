//! What a power cut and a failed flush leave of a store (G1, G3, G4, G6).

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ees_core::adapter::Storage;
use ees_core::{
    Changeset, Checkpoint, CheckpointStore, Error, EventStore, Events, Expectation, NewChangeset,
    PageLimit, Written,
};
use ees_sqlite::{SqliteConfig, SqliteStorage};
use ees_sqlite_testkit::{Disk, Fault, Keep};
use fastrand::Rng;
use rusqlite::Connection;
use tempfile::TempDir;

const CLIENTS: u64 = 6;

/// How many commits each client makes between two openings of the store.
const COMMITS: u64 = 8;

/// How many power cuts are tried for each way to keep what was not flushed.
const CUTS: u64 = 60;

/// What was acknowledged: its checkpoint, and the moment after its acknowledgement.
type Acknowledged = (Checkpoint, usize);

struct Store {
    folder: TempDir,
    disk: Disk,
    acknowledged: Mutex<Vec<Acknowledged>>,
}

impl Store {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let disk = Disk::watch(folder.path()).unwrap();
        Self {
            folder,
            disk,
            acknowledged: Mutex::default(),
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ees.db")
    }

    /// Commits to a stream, and notes the acknowledgement.
    async fn commit(&self, store: &EventStore, stream: &str, last: u64) -> Result<(), Error> {
        let text = format!(
            r#"["{}"]"#,
            "x".repeat(usize::try_from(last % 9 * 700).unwrap())
        );
        let events = Events::parse(&text).unwrap();
        let stream = stream.parse().unwrap();
        let new = NewChangeset::new(stream, Expectation::LastChangeset(last), events);
        let receipt = store.commit(new).await?;
        let now = self.disk.now();
        let checkpoint = receipt.checkpoint.expect("a checkpoint");
        self.acknowledged.lock().unwrap().push((checkpoint, now));
        Ok(())
    }

    /// How many changesets the log has at least after a cut.
    fn acknowledged_before(&self, moment: usize) -> usize {
        let acknowledged = self.acknowledged.lock().unwrap();
        let before = acknowledged.iter().filter(|(_, at)| *at <= moment);
        before
            .map(|(checkpoint, _)| index(*checkpoint) + 1)
            .max()
            .unwrap_or(0)
    }

    /// The log that a store finds after a power cut.
    async fn log_after(&self, moment: usize, keep: Keep) -> Vec<Changeset> {
        let folder = TempDir::new().unwrap();
        self.disk.after_a_cut(moment, keep, folder.path()).unwrap();
        let store = open(&folder.path().join("ees.db")).await;
        let log = log(&store).await;
        // It goes on as well.
        let events = Events::parse("[0]").unwrap();
        let new = NewChangeset::new(
            "next".parse().unwrap(),
            Expectation::LastChangeset(0),
            events,
        );
        let receipt = store.commit(new).await.unwrap();
        assert_eq!(index(receipt.checkpoint.unwrap()), log.len());
        store.close().await;
        log
    }

    /// Asserts what a power cut must leave: a beginning of the log, with all that was acknowledged.
    async fn check(&self, moment: usize, keep: Keep, whole: &[Changeset]) {
        let found = self.log_after(moment, keep).await;
        let known = found.len().min(whole.len());
        assert_eq!(found[..known], whole[..known], "{keep:?} at {moment}");
        let least = self.acknowledged_before(moment);
        assert!(
            found.len() >= least,
            "{least} changesets were acknowledged before {moment}, and {} stand ({keep:?})",
            found.len()
        );
    }
}

fn index(checkpoint: Checkpoint) -> usize {
    usize::try_from(checkpoint.get()).unwrap()
}

async fn open(file: &Path) -> EventStore {
    let storage = SqliteStorage::open(&SqliteConfig::new(file)).await.unwrap();
    EventStore::new(Arc::new(storage))
}

async fn log(store: &EventStore) -> Vec<Changeset> {
    let (mut log, mut next) = (Vec::new(), Checkpoint::FIRST);
    loop {
        let page = store.global_changesets(next, PageLimit::items(1000)).await;
        let page = page.unwrap();
        if page.changesets.is_empty() {
            return log;
        }
        next = page.next;
        log.extend(page.changesets);
    }
}

/// Several clients commit to streams of their own at once.
async fn work(store: &Arc<Store>, open: &EventStore, from: u64) {
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (store, open) = (Arc::clone(store), open.clone());
            tokio::spawn(async move {
                for last in from..from + COMMITS {
                    let stream = format!("stream-{client}");
                    store.commit(&open, &stream, last).await.unwrap();
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
}

/// Begins the write-ahead log anew, as SQLite does once it has grown.
fn restart_log(file: &Path) {
    let connection = Connection::open(file).unwrap();
    let restart = "PRAGMA wal_checkpoint(RESTART)";
    connection.query_row(restart, [], |_| Ok(())).unwrap();
}

/// G1, G3, G4, G6: no acknowledgement comes before the flush behind its write, and a power cut at
/// any moment leaves a beginning of the log that has everything acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_power_cut_takes_nothing_acknowledged() {
    let store = Arc::new(Store::new());
    store.disk.delay_flushes(Duration::from_micros(300));
    for round in 0..3 {
        let opened = open(&store.file()).await;
        work(&store, &opened, round * 2 * COMMITS).await;
        restart_log(&store.file());
        work(&store, &opened, (round * 2 + 1) * COMMITS).await;
        opened.close().await;
    }
    let whole = store.log_after(store.disk.now(), Keep::Everything).await;
    assert_eq!(whole.len() as u64, 6 * CLIENTS * COMMITS);
    let mut moments: Vec<_> = {
        let acknowledged = store.acknowledged.lock().unwrap();
        acknowledged.iter().map(|(_, moment)| *moment).collect()
    };
    let mut rng = Rng::with_seed(1);
    rng.shuffle(&mut moments);
    let anywhere = store.disk.now();
    for cut in 0..CUTS {
        // Just after an acknowledgement, nothing else is certain to be on the disk.
        let acknowledged = moments[usize::try_from(cut).unwrap() % moments.len()];
        store.check(acknowledged, Keep::Nothing, &whole).await;
        store
            .check(rng.usize(..=anywhere), Keep::Some(cut), &whole)
            .await;
    }
}

/// G4, G6: neither does it take a saved checkpoint, whose flush is that of a batch of commits.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_power_cut_takes_no_saved_checkpoint() {
    let store = Arc::new(Store::new());
    store.disk.delay_flushes(Duration::from_micros(300));
    let storage = SqliteStorage::open(&SqliteConfig::new(store.file())).await;
    let storage = Arc::new(storage.unwrap());
    let opened = EventStore::new(Arc::clone(&storage));
    let saving = async {
        let mut saved = Vec::new();
        for number in 0..CLIENTS * COMMITS {
            let checkpoint = Checkpoint::FIRST.plus(number);
            storage.save_checkpoint("s", checkpoint).await.unwrap();
            saved.push((checkpoint, store.disk.now()));
        }
        saved
    };
    let (saved, ()) = tokio::join!(saving, work(&store, &opened, 0));
    opened.close().await;
    for (checkpoint, moment) in saved {
        let folder = TempDir::new().unwrap();
        let cut = store.disk.after_a_cut(moment, Keep::Nothing, folder.path());
        cut.unwrap();
        let file = folder.path().join("ees.db");
        let storage = SqliteStorage::open(&SqliteConfig::new(file)).await.unwrap();
        let found = storage.load_checkpoint("s").await.unwrap();
        assert!(found >= Some(checkpoint), "{found:?} after {checkpoint}");
        storage.close().await;
    }
}

/// A store with one acknowledged changeset, and another whose flush failed.
async fn with_a_failed_flush() -> (Store, EventStore) {
    let store = Store::new();
    let opened = open(&store.file()).await;
    store.commit(&opened, "a", 0).await.unwrap();
    store.disk.set_fault(Some(Fault::Flush));
    let error = store.commit(&opened, "a", 1).await.unwrap_err();
    assert_eq!(error.written(), Written::Unknown, "{error}");
    store.disk.set_fault(None);
    (store, opened)
}

/// G4, G12: a failed flush acknowledges nothing, and no later commit builds on what the disk may
/// have lost.
#[tokio::test]
async fn after_a_failed_flush_nothing_is_committed_until_the_store_is_opened_again() {
    let (store, opened) = with_a_failed_flush().await;
    for last in [1, 2] {
        let error = store.commit(&opened, "a", last).await.unwrap_err();
        assert_eq!(error.written(), Written::None, "{error}");
        assert!(error.is_retryable(), "{error}");
    }
    assert_eq!(log(&opened).await.len(), 1, "it can be read");
    let error = opened.check_ready().await.unwrap_err();
    assert!(error.to_string().contains("restart"), "{error}");
    opened.close().await;

    let opened = open(&store.file()).await;
    store.commit(&opened, "a", 1).await.unwrap();
    let whole = log(&opened).await;
    store.check(store.disk.now(), Keep::Nothing, &whole).await;
    opened.close().await;
}

/// G4: the flush of another write than a commit counts as well.
#[tokio::test]
async fn after_a_failed_flush_of_a_checkpoint_nothing_is_committed() {
    let store = Store::new();
    let storage = SqliteStorage::open(&SqliteConfig::new(store.file())).await;
    let storage = Arc::new(storage.unwrap());
    let opened = EventStore::new(Arc::clone(&storage));
    store.commit(&opened, "a", 0).await.unwrap();
    store.disk.set_fault(Some(Fault::Flush));
    let saved = storage.save_checkpoint("s", Checkpoint::FIRST).await;
    saved.unwrap_err();
    store.disk.set_fault(None);
    let error = store.commit(&opened, "a", 1).await.unwrap_err();
    assert_eq!(error.written(), Written::None, "{error}");
    opened.close().await;
}

/// G4: the process dies after the failed flush, and the next one finds in the file what the disk has
/// lost.
#[tokio::test]
async fn what_is_found_after_a_failed_flush_is_made_durable_before_it_is_built_on() {
    let (first, _opened) = with_a_failed_flush().await;
    let folder = TempDir::new().unwrap();
    let disk = first.disk.after_a_kill(folder.path()).unwrap();
    let store = Store {
        folder,
        disk,
        acknowledged: Mutex::default(),
    };
    let opened = open(&store.file()).await;
    let shown = log(&opened).await;
    assert_eq!(shown.len(), 2, "the second changeset was written");
    let found = store.log_after(store.disk.now(), Keep::Nothing).await;
    assert_eq!(found, shown, "what a reader sees is durable");

    store.commit(&opened, "a", 2).await.unwrap();
    let whole = log(&opened).await;
    for keep in [Keep::Nothing, Keep::Some(1), Keep::Some(2)] {
        store.check(store.disk.now(), keep, &whole).await;
    }
    opened.close().await;
}

/// G4, G12: a failed write acknowledges nothing and loses nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_write_loses_nothing() {
    let store = Store::new();
    let opened = open(&store.file()).await;
    store.commit(&opened, "a", 0).await.unwrap();
    store.disk.set_fault(Some(Fault::Write));
    store.commit(&opened, "a", 1).await.unwrap_err();
    store.disk.set_fault(None);
    opened.close().await;

    let opened = open(&store.file()).await;
    let last = log(&opened).await.len() as u64;
    store.commit(&opened, "a", last).await.unwrap();
    let whole = log(&opened).await;
    store.check(store.disk.now(), Keep::Nothing, &whole).await;
    opened.close().await;
}

/// The test above would find a flush that is left out.
#[tokio::test]
async fn without_flushes_a_power_cut_takes_what_was_acknowledged() {
    let folder = TempDir::new().unwrap();
    let disk = Disk::watch(folder.path()).unwrap();
    let connection = Connection::open(folder.path().join("ees.db")).unwrap();
    let schema = "PRAGMA journal_mode = WAL; CREATE TABLE rows (number INTEGER);
        PRAGMA synchronous = NORMAL;";
    connection.execute_batch(schema).unwrap();
    let flushes = disk.flushes();
    connection
        .execute("INSERT INTO rows VALUES (1)", [])
        .unwrap();
    assert_eq!(disk.flushes(), flushes, "the log is not flushed");
    let found = TempDir::new().unwrap();
    disk.after_a_cut(disk.now(), Keep::Nothing, found.path())
        .unwrap();
    let found = Connection::open(found.path().join("ees.db")).unwrap();
    let rows = found.query_row("SELECT count(*) FROM rows", [], |row| row.get::<_, i64>(0));
    assert_eq!(rows.unwrap_or(0), 0);
}
