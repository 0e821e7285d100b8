//! The upgrade of a file of the version before checksums.

use std::path::{Path, PathBuf};

use ees_core::adapter::{Commit, Storage};
use ees_core::{CommitId, Expectation, Filter, PageLimit, StreamQuery, Timestamp};
use futures_executor::block_on;
use tempfile::TempDir;

use super::*;
use crate::migrations::migrate;
use crate::{OpenError, SqliteConfig, SqliteStorage};

const ROWS: u64 = 40;

/// Makes a file one of the version before.
const DOWNGRADE: &str = "
    ALTER TABLE changesets DROP COLUMN checksum;
    DROP TABLE state;
    DELETE FROM _sqlx_migrations WHERE version = 10";

fn storage(path: &Path) -> Result<SqliteStorage, OpenError> {
    block_on(SqliteStorage::open(&SqliteConfig::new(path)))
}

fn old_file() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ees.db");
    let store = storage(&path).unwrap();
    for last in 0..ROWS / 2 {
        for stream in ["a", "b"] {
            let commit = Commit {
                stream_id: stream.parse().unwrap(),
                expectation: Expectation::LastChangeset(last),
                events: Events::parse(r#"[{"type":"x"},{"type":"y"}]"#).unwrap(),
                metadata: Json::default(),
                commit_id: CommitId::generate(),
                set: None,
                timestamp: Timestamp::now(),
            };
            block_on(store.commit(&commit)).unwrap();
        }
    }
    block_on(store.close());
    execute(&path, DOWNGRADE);
    (folder, path)
}

fn execute(path: &Path, statement: &str) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch(statement).unwrap();
    connection.close().unwrap();
}

/// Opens the file, and reads everything in each way.
fn check_whole(path: &Path) {
    let store = storage(path).unwrap();
    let limit = PageLimit::default();
    let all = block_on(store.read_global(Checkpoint::FIRST, limit)).unwrap();
    assert_eq!(all.changesets.len() as u64, ROWS);
    let filter = Filter::default().event_type("x");
    let filtered = block_on(store.read_filtered(Checkpoint::FIRST, limit, &filter)).unwrap();
    assert_eq!(filtered, all);
    let stream = StreamQuery::all("a".parse().unwrap());
    let stream = block_on(store.read_stream(&stream)).unwrap();
    assert_eq!(stream.items.len() as u64, ROWS / 2);
    block_on(store.close());
}

#[test]
fn rows_get_their_checksums() {
    let (_folder, path) = old_file();
    check_whole(&path);
    let connection = Connection::open(&path).unwrap();
    let upgrade = state::upgrade(&connection).unwrap();
    let end = Checkpoint::new(ROWS).unwrap();
    assert_eq!((upgrade.upgraded_to, upgrade.dated_from), (end, end));
    state::check_last(&connection).unwrap();
}

/// It stops after any slice, and goes on; an older version and readers refuse the file in between.
#[test]
fn an_interrupted_upgrade_goes_on() {
    let (_folder, path) = old_file();
    let slice = Slice {
        rows: 7,
        bytes: 200,
    };
    for slices in 1..4 {
        let mut connection = Connection::open(&path).unwrap();
        if slices == 1 {
            crate::migrations::apply_missing(&path, &mut connection).unwrap();
        }
        let reached = give_slice(&mut connection, slice).unwrap();
        assert!(
            reached > Checkpoint::FIRST && reached.get() < ROWS,
            "{reached}"
        );
        drop(connection);
        let config = SqliteConfig::new(&path);
        let refused = block_on(SqliteStorage::open_to_read(&config)).unwrap_err();
        assert!(matches!(refused, OpenError::Older(_)), "{refused}");
    }
    check_whole(&path);
}

/// A checksum that an upgrade gave and that is gone is damage, and so is one where it has not come to.
#[test]
fn the_kept_position_is_compared_with_the_rows() {
    let (_folder, path) = old_file();
    let mut connection = Connection::open(&path).unwrap();
    migrate(&path, &mut connection).unwrap();
    drop(connection);
    execute(
        &path,
        "UPDATE changesets SET checksum = NULL WHERE checkpoint = 5",
    );
    let store = storage(&path).unwrap();
    let fifth = Checkpoint::new(5).unwrap();
    let read = block_on(store.read_global(fifth, PageLimit::default()));
    let said = read.unwrap_err().to_string();
    assert!(said.contains("checkpoint 5,"), "{said}");
    block_on(store.close());
    execute(&path, "UPDATE state SET upgraded_to = 3");
    let said = storage(&path).unwrap_err().to_string();
    assert!(said.contains("checkpoint 3 has a checksum"), "{said}");
}

/// A damaged file is refused as it is, so that the version before still opens it.
#[test]
fn a_damaged_file_is_not_upgraded() {
    for (harm, told) in [
        ("UPDATE changesets SET events = '[{]' WHERE checkpoint = 3", "checkpoint 3"),
        ("UPDATE changesets SET events = '[1]' WHERE checkpoint = 4", "not as many events"),
        ("UPDATE changesets SET metadata = '{' WHERE checkpoint = 5", "checkpoint 5"),
        ("UPDATE changesets SET changeset_id = 99 WHERE checkpoint = 6", "does not follow"),
        (
            "UPDATE changesets SET first_event_id = 2, last_event_id = 3 WHERE checkpoint = 8",
            "does not follow",
        ),
        ("DELETE FROM changesets WHERE checkpoint = 9", "where checkpoint 9 belongs"),
        ("UPDATE changesets SET stream_id = '' WHERE checkpoint = 0", "stream"),
        (
            "PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'identity')
             WHERE name = 'changesets_by_stream'",
            "2nd reference to page",
        ),
    ] {
        let (_folder, path) = old_file();
        execute(&path, harm);
        let error = storage(&path).unwrap_err();
        assert!(matches!(error, OpenError::Damaged { .. }), "{harm}: {error}");
        assert!(error.to_string().contains(told), "{harm}: {error}");
        let connection = Connection::open(&path).unwrap();
        assert!(crate::migrations::is_before_checksums(&connection).unwrap());
    }
}
