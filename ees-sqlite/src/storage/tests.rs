//! What only the inside can show.

mod damage;

use std::pin::pin;
use std::sync::mpsc;

use ees_core::CheckpointStore;
use ees_core::adapter::{Import, ImportOutcome, Refusal};
use ees_core::{ChangesetId, CommitId, Direction, Events, Expectation, Json, Timestamp, Written};
use ees_sqlite_testkit::Disk;
use futures_util::FutureExt;
use futures_util::future::{join, join_all};
use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::{client_keys, event_search, filtered, log, voids};

struct Fixture {
    folder: TempDir,
    storage: SqliteStorage,
}

impl Fixture {
    async fn open() -> Self {
        let folder = TempDir::new().unwrap();
        let config = SqliteConfig::new(folder.path().join("ees.db"));
        let storage = SqliteStorage::open(&config).await.unwrap();
        Self { folder, storage }
    }

    /// Closes the store and opens it again, so that it remembers nothing.
    async fn reopen(&mut self) {
        self.storage.close().await;
        let config = SqliteConfig::new(self.folder.path().join("ees.db"));
        self.storage = SqliteStorage::open(&config).await.unwrap();
    }

    /// Changes the file as somebody else would.
    fn damage(&self, statement: &str) {
        let connection = Connection::open(self.folder.path().join("ees.db")).unwrap();
        connection.execute_batch(statement).unwrap();
    }

    /// Runs a statement on the connection that writes.
    async fn execute(&self, statement: &'static str) {
        let jobs = &self.storage.writer.jobs;
        let run = |connection: &Connection| connection.execute_batch(statement).map_err(translate);
        jobs.run(run).await.unwrap();
    }
}

fn commit(stream: &str, last: u64, bytes: usize) -> Commit {
    Commit {
        stream_id: StreamId::new(stream).unwrap(),
        expectation: Expectation::LastChangeset(last),
        events: Events::of(&["x".repeat(bytes)]).unwrap(),
        metadata: Json::default(),
        commit_id: CommitId::generate(),
        set: None,
        timestamp: Timestamp::now(),
    }
}

fn is_committed(outcome: &Result<Outcome, StorageError>) -> bool {
    matches!(outcome, Ok(Outcome::Committed(_)))
}

/// G4, G12: a full disk refuses what does not fit, for certain, loses nothing, and the store goes
/// on when there is room again.
#[tokio::test]
async fn a_full_disk_refuses_and_loses_nothing() {
    let fixture = Fixture::open().await;
    let storage = &fixture.storage;
    assert!(is_committed(&storage.commit(&commit("s", 0, 10)).await));
    fixture.execute("PRAGMA max_page_count = 40").await;

    let error = storage
        .commit(&commit("s", 1, 1_000_000))
        .await
        .unwrap_err();
    let StorageError::Unavailable {
        reason, written, ..
    } = error
    else {
        panic!("a full disk is worth a retry: {error}");
    };
    assert_eq!(
        (reason.as_str(), written),
        ("the disk is full", Written::None)
    );
    // What fits still does, also in one batch with what does not.
    let (small, large) = (commit("s", 1, 10), commit("t", 0, 1_000_000));
    let (small, large) = tokio::join!(storage.commit(&small), storage.commit(&large));
    assert!(is_committed(&small) && large.is_err());

    fixture.execute("PRAGMA max_page_count = 100000").await;
    assert!(is_committed(
        &storage.commit(&commit("s", 2, 1_000_000)).await
    ));
    let all = storage
        .read_global(Checkpoint::FIRST, PageLimit::default())
        .await;
    assert_eq!(all.unwrap().changesets.len(), 3);
}

/// Small writes that wait share one flush.
#[tokio::test]
async fn small_writes_share_a_flush() {
    let fixture = Fixture::open().await;
    let disk = Disk::watch(fixture.folder.path()).unwrap();
    let config = SqliteConfig::new(fixture.folder.path().join("watched.db"));
    let storage = SqliteStorage::open(&config).await.unwrap();
    // The first write flushes the header of the log as well.
    storage
        .save_checkpoint("first", Checkpoint::FIRST)
        .await
        .unwrap();
    let (release, released) = mpsc::channel::<()>();
    let holding = storage.writer.jobs.run(move |_| {
        released.recv().map_err(|_| StorageError::closed())?;
        Ok(())
    });
    let names: Vec<String> = (0..10)
        .map(|number| format!("subscription-{number}"))
        .collect();
    let saves = names
        .iter()
        .map(|name| storage.save_checkpoint(name, Checkpoint::FIRST));
    let mut all = pin!(join(holding, join_all(saves)));
    assert!(all.as_mut().now_or_never().is_none(), "they wait");
    let before = disk.flushes();
    release.send(()).unwrap();
    let (done, answers) = all.await;
    done.unwrap();
    for answer in answers {
        answer.unwrap();
    }
    assert_eq!(disk.flushes() - before, 1);
    storage.close().await;
}

/// Readers never wait for the writer, and see nothing of what is not committed.
#[tokio::test]
async fn readers_do_not_wait_for_the_writer() {
    let fixture = Fixture::open().await;
    let storage = &fixture.storage;
    storage.commit(&commit("s", 0, 10)).await.unwrap();
    fixture.execute("BEGIN EXCLUSIVE").await;
    fixture.execute("UPDATE changesets SET events = '[]'").await;
    let stream = StreamId::new("s").unwrap();
    // One that waited would be told after a while that the file is busy.
    let head = storage.head(&stream).await;
    assert_eq!(head.unwrap().unwrap().last_changeset.get(), 1);
    let all = storage
        .read_global(Checkpoint::FIRST, PageLimit::default())
        .await;
    assert_eq!(all.unwrap().changesets[0].events.as_str().len(), 14);
    fixture.execute("ROLLBACK").await;
}

/// G4: the settings that make SQLite flush are asked back, and the question can fail.
#[tokio::test]
async fn durability_is_asserted() {
    let fixture = Fixture::open().await;
    let path = fixture.folder.path().join("ees.db");
    let assert_durable = || {
        let path = path.clone();
        let assert =
            move |connection: &Connection| Ok(crate::durable::assert_durable(&path, connection));
        fixture.storage.writer.jobs.run(assert)
    };
    assert_durable().await.unwrap().unwrap();
    fixture.execute("PRAGMA synchronous = NORMAL").await;
    let error = assert_durable().await.unwrap().unwrap_err();
    assert!(
        error
            .to_string()
            .contains("durable only with synchronous=2"),
        "{error}"
    );
}

/// No statement reads more than it answers, however much the file holds.
#[tokio::test]
async fn every_statement_goes_by_an_index() {
    let fixture = Fixture::open().await;
    let statements = [
        (reads::HEAD, "changesets_by_stream"),
        (
            client_keys::FILED,
            "SEARCH filed USING PRIMARY KEY (stream_id=? AND key_hash=?)",
        ),
        (
            client_keys::FILED,
            "SEARCH changesets USING INDEX changesets_by_stream",
        ),
        (client_keys::RECENT, "changesets_by_stream"),
        (state::ENDS, "SEARCH changesets"),
        (reads::LAST_ROW, "SEARCH changesets"),
        (reads::GLOBAL, "INTEGER PRIMARY KEY (rowid>?)"),
        (filtered::SCAN, "INTEGER PRIMARY KEY (rowid>?)"),
        (filtered::AT, "INTEGER PRIMARY KEY (rowid=?)"),
        (
            stream_page::of_stream(Direction::Forward),
            "changesets_by_stream",
        ),
        (
            stream_page::of_stream(Direction::Backward),
            "changesets_by_stream",
        ),
        (
            voids::BETWEEN,
            "SEARCH void_positions USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
        ),
        (
            voids::BEFORE,
            "SEARCH void_positions USING INTEGER PRIMARY KEY (rowid<?)",
        ),
        (log::TILE, "(level=? AND number=?)"),
        (event_search::CHANGESET, "changesets_by_stream"),
    ];
    for (statement, index) in statements {
        let plan = fixture.storage.readers.run(move |connection| {
            let explain = format!("EXPLAIN QUERY PLAN {statement}");
            let mut explain = connection.prepare(&explain).map_err(translate)?;
            let rows = explain.raw_query().mapped(|row| row.get("detail"));
            rows.collect::<Result<Vec<String>, _>>().map_err(translate)
        });
        let plan = plan.await.unwrap().join("\n");
        assert!(plan.contains(index), "{statement}\n{plan}");
        let walks = plan
            .lines()
            .any(|line| line.contains("SCAN changesets") || line.contains("B-TREE"));
        assert!(!walks, "{statement}\n{plan}");
    }
}

/// G14: an import that finds the disk full stores nothing, and may be repeated.
#[tokio::test]
async fn an_import_that_does_not_fit_stores_nothing() {
    let fixture = Fixture::open().await;
    let storage = &fixture.storage;
    storage.commit(&commit("s", 0, 10)).await.unwrap();
    let from = storage.begin_import().await.unwrap();
    let slot = Expectation::LastChangeset(0).judge(None, 1).slot().unwrap();
    let first = commit("t", 0, 10).into_changeset(slot, Some(from.plus(7)));
    let second = commit("u", 0, 1_000_000).into_changeset(slot, Some(from.plus(9)));
    let page = GlobalPage {
        changesets: vec![first, second],
        next: from.plus(10),
    };
    fixture.execute("PRAGMA max_page_count = 60").await;
    let error = storage.import(from, &page).await.unwrap_err();
    assert!(
        matches!(error, StorageError::Unavailable { .. }),
        "a full disk is worth a retry: {error}"
    );
    assert_eq!(storage.next_checkpoint().await.unwrap(), from);
    assert!(is_committed(&storage.commit(&commit("s", 1, 10)).await));
    assert_eq!(storage.next_checkpoint().await.unwrap(), from.plus(1));

    fixture.execute("PRAGMA max_page_count = 100000").await;
    let moved = from.plus(1);
    assert_eq!(
        storage.import(from, &page).await.unwrap(),
        ImportOutcome::EndsAt(moved)
    );
    let imported = storage.import(moved, &page).await.unwrap();
    assert_eq!(imported, ImportOutcome::Imported);
    let all = storage.read_global(Checkpoint::FIRST, PageLimit::default());
    assert_eq!(all.await.unwrap().next, page.next);
}

/// The number of filed keys.
async fn filed(fixture: &Fixture) -> i64 {
    let count = |connection: &Connection| {
        let count = connection.query_row("SELECT count(*) FROM client_keys", [], |row| row.get(0));
        count.map_err(translate)
    };
    fixture.storage.readers.run(count).await.unwrap()
}

fn keyed(stream: &str, last: u64, key: &str) -> Commit {
    Commit {
        commit_id: CommitId::new(key).unwrap(),
        ..commit(stream, last, 10)
    }
}

/// A full block of a stream files its clients' keys, and nothing else does.
#[tokio::test]
async fn full_blocks_file_the_keys_of_clients() {
    let fixture = Fixture::open().await;
    let storage = &fixture.storage;
    for last in 0..64 {
        let commit = match last {
            // The first block has three keys, the second none, the third one.
            4 | 7 | 31 => keyed("s", last, &format!("key-{last}")),
            _ => commit("s", last, 10),
        };
        assert!(is_committed(&storage.commit(&commit).await));
        let expected = if last < 31 { 0 } else { 3 };
        assert_eq!(
            filed(&fixture).await,
            expected,
            "after changeset {}",
            last + 1
        );
    }
    for (last, stands) in [(4, 5), (7, 8), (31, 32)] {
        let again = keyed("s", 64, &format!("key-{last}"));
        let outcome = storage.commit(&again).await.unwrap();
        let stands = ChangesetId::new(stands).unwrap();
        assert_eq!(outcome, Outcome::Refused(Refusal::KeyStands(stands)));
    }
}

/// G10: older versions stored a key again where another expectation came with it.
#[tokio::test]
async fn of_a_key_that_stands_twice_the_first_counts() {
    let mut fixture = Fixture::open().await;
    for last in 0..4 {
        let committed = fixture.storage.commit(&commit("s", last, 10)).await;
        assert!(is_committed(&committed));
    }
    // As an upgrade finds them, which gives them their checksums.
    let twice = "UPDATE changesets SET commit_id = 'k' WHERE changeset_id IN (2, 4);
        UPDATE changesets SET checksum = NULL;
        UPDATE state SET upgraded_to = 0, dated_from = next_checkpoint";
    fixture.execute(twice).await;
    fixture.reopen().await;
    let outcome = fixture.storage.commit(&keyed("s", 9, "k")).await.unwrap();
    let second = ChangesetId::new(2).unwrap();
    assert_eq!(outcome, Outcome::Refused(Refusal::KeyStands(second)));
}

/// G1: a commit whose caller goes away leaves the writer able to go on.
#[tokio::test]
async fn callers_may_go_away() {
    let fixture = Fixture::open().await;
    let storage = Arc::new(fixture.storage);
    for round in 0..50 {
        let (storage, gone) = (Arc::clone(&storage), commit(&format!("s{round}"), 0, 10));
        let task = tokio::spawn(async move { storage.commit(&gone).await });
        tokio::task::yield_now().await;
        task.abort();
    }
    assert!(is_committed(&storage.commit(&commit("last", 0, 10)).await));
    let end = storage.next_checkpoint().await.unwrap();
    let all = storage
        .read_global(Checkpoint::FIRST, PageLimit::default())
        .await
        .unwrap();
    assert_eq!(all.next, end);
}
