//! Files of the first releases, which used sqlx.

use std::fs;
use std::path::Path;

use ees_core::adapter::{Commit, Outcome, Refusal, StatisticsStore, Storage};
use ees_core::{
    ChangesetId, Checkpoint, CheckpointStore, CommitId, Events, Expectation, Filter, Json,
    PageLimit, Timestamp,
};
use ees_sqlite::{OpenError, SqliteConfig, SqliteStorage};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

/// A file with three changesets, statistics and a checkpoint, made by the last version with sqlx.
const VERSION_1: &[u8] = include_bytes!("../data/version-1.sqlite");

async fn open(path: &Path) -> Result<SqliteStorage, OpenError> {
    SqliteStorage::open(&SqliteConfig::new(path)).await
}

/// The application id, and the statements of the schema.
fn schema(path: &Path) -> (i64, Vec<String>) {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let id = "PRAGMA application_id";
    let id = connection.query_row(id, [], |row| row.get(0)).unwrap();
    let schema = "SELECT type || ' ' || name || ': ' || coalesce(sql, '') FROM sqlite_schema";
    let mut schema = connection.prepare(schema).unwrap();
    let schema = schema.query_map([], |row| row.get(0)).unwrap();
    (id, schema.map(Result::unwrap).collect())
}

/// The migrations that a file records, without their times.
fn migrations(path: &Path) -> Vec<[Value; 4]> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let rows = "SELECT version, description, success, checksum FROM _sqlx_migrations";
    let mut rows = connection.prepare(rows).unwrap();
    let rows = rows.query_map([], |row| {
        Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])
    });
    rows.unwrap().map(Result::unwrap).collect()
}

#[tokio::test]
async fn a_file_of_the_first_version_is_opened() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ees.db");
    fs::write(&path, VERSION_1).unwrap();
    let storage = open(&path).await.unwrap();
    let page = storage.read_global(Checkpoint::FIRST, PageLimit::default());
    let page = page.await.unwrap();
    assert_eq!(page.next.get(), 3);
    let found: Vec<_> = page
        .changesets
        .iter()
        .map(|changeset| {
            let id = changeset.changeset_id.get();
            (changeset.stream_id.as_str(), id, changeset.events.as_str())
        })
        .collect();
    let expected = [
        (
            "order-17",
            1,
            r#"[{"type":"init","data":1},{"type":"sell","data":20}]"#,
        ),
        ("order-18", 1, r#"[{"type":"init",  "data":1.50}]"#),
        ("order-17", 2, r#"[{"type":"buy","data":5}]"#),
    ];
    assert_eq!(found, expected);
    let checkpoint = storage.load_checkpoint("orders").await.unwrap();
    assert_eq!(checkpoint.map(Checkpoint::get), Some(2));
    let statistics = storage.load_statistics().await.unwrap();
    assert_eq!((statistics.version.get(), statistics.total_events), (2, 3));
}

/// A migrated file of the first version is as a new one, and keeps what it records of its versions.
#[tokio::test]
async fn a_file_of_the_first_version_becomes_as_a_new_one() {
    let folder = TempDir::new().unwrap();
    let [old, new] = ["old.db", "new.db"].map(|name| folder.path().join(name));
    fs::write(&old, VERSION_1).unwrap();
    let recorded = migrations(&old);
    for path in [&old, &new] {
        open(path).await.unwrap().close().await;
    }
    assert_eq!(schema(&new), schema(&old));
    assert_eq!(migrations(&new), migrations(&old));
    assert_eq!(migrations(&new)[..1], recorded);
    assert_eq!(migrations(&new).len(), 10);
}

/// G15: rows of the first version do not tell their types, so their payloads are read.
#[tokio::test]
async fn rows_without_types_are_filtered() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ees.db");
    fs::write(&path, VERSION_1).unwrap();
    let storage = open(&path).await.unwrap();
    let commit = Commit {
        stream_id: "order-19".parse().unwrap(),
        expectation: Expectation::NEW_STREAM,
        events: Events::parse(r#"[{"type":"sell"}]"#).unwrap(),
        metadata: Json::default(),
        commit_id: CommitId::generate(),
        set: None,
        timestamp: Timestamp::now(),
    };
    storage.commit(&commit).await.unwrap();
    for (filter, expected) in [
        (Filter::default().event_type("sell"), &[0, 3][..]),
        (Filter::default().event_type("init"), &[0, 1]),
        (
            Filter::default()
                .event_type("buy")
                .stream_prefix("order-18"),
            &[],
        ),
        (Filter::default().stream_prefix("order-18"), &[1]),
    ] {
        let page = storage.read_filtered(Checkpoint::FIRST, PageLimit::default(), &filter);
        let page = page.await.unwrap();
        let found = page.changesets.iter().filter_map(|found| found.checkpoint);
        let found: Vec<_> = found.map(Checkpoint::get).collect();
        assert_eq!(found, expected, "{filter:?}");
        assert_eq!(page.next.get(), 4);
    }
}

/// G10: keys that the first version stored are found, in the last block of their stream and before.
#[tokio::test]
async fn keys_of_the_first_version_are_found() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ees.db");
    fs::write(&path, VERSION_1).unwrap();
    let rows = "
        WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT 70)
        INSERT INTO changesets SELECT n + 2, 's', n, n, n, n, 'key-' || n, '{}', '[1]' FROM numbers";
    Connection::open(&path)
        .unwrap()
        .execute_batch(rows)
        .unwrap();
    let storage = open(&path).await.unwrap();
    for last in 70..100 {
        for key in [1, 32, 33, 64, 65, last] {
            let again = storage.commit(&keyed(last, key)).await.unwrap();
            let stands = ChangesetId::new(key).unwrap();
            assert_eq!(again, Outcome::Refused(Refusal::KeyStands(stands)));
        }
        let committed = storage.commit(&keyed(last, last + 1)).await;
        assert!(
            matches!(committed, Ok(Outcome::Committed(_))),
            "{committed:?}"
        );
    }
}

fn keyed(last: u64, key: u64) -> Commit {
    Commit {
        stream_id: "s".parse().unwrap(),
        expectation: Expectation::LastChangeset(last),
        events: Events::of(&[1]).unwrap(),
        metadata: Json::default(),
        commit_id: CommitId::new(&format!("key-{key}")).unwrap(),
        set: None,
        timestamp: Timestamp::now(),
    }
}

#[tokio::test]
async fn a_schema_of_unknown_origin_is_refused() {
    for change in [
        "UPDATE _sqlx_migrations SET checksum = x'00'",
        "UPDATE _sqlx_migrations SET success = FALSE",
    ] {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("ees.db");
        fs::write(&path, VERSION_1).unwrap();
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(change).unwrap();
        connection.close().unwrap();
        let error = open(&path).await.unwrap_err();
        assert!(matches!(error, OpenError::NotOurs { .. }), "{error}");
    }
}

/// The store uses threads of its own, and needs no async runtime.
#[test]
fn any_runtime_will_do() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ees.db");
    futures_executor::block_on(async {
        let storage = open(&path).await.unwrap();
        let saved = Checkpoint::new(7).unwrap();
        storage.save_checkpoint("s", saved).await.unwrap();
        let loaded = storage.load_checkpoint("s").await.unwrap();
        assert_eq!(loaded, Some(saved));
        storage.close().await;
        storage.close().await;
        assert!(storage.next_checkpoint().await.is_err(), "it is closed");
        assert!(storage.save_checkpoint("s", saved).await.is_err());
    });
}
