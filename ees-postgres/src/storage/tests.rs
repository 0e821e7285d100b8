//! What only the inside can show.

use ees_core::{
    CommitId, Error, EventStore, Events, Expectation, Json, NewChangeset, Timestamp, Written,
};
use ees_postgres_testkit::Database;
use sqlx::{AssertSqlSafe, Row};

use super::*;
use crate::filtered::FILTERED;
use crate::{checkpoints, log, voids, writer};

async fn open(database: &Database) -> PostgresStorage {
    let url = format!("{}?allow_fsync_off=true", database.url());
    PostgresStorage::open(&url.parse().unwrap()).await.unwrap()
}

fn commit(stream: &str, last: u64) -> Commit {
    Commit {
        stream_id: StreamId::new(stream).unwrap(),
        expectation: Expectation::LastChangeset(last),
        events: Events::parse("[1]").unwrap(),
        metadata: Json::default(),
        commit_id: CommitId::generate(),
        set: None,
        timestamp: Timestamp::now(),
    }
}

/// No statement reads more than it answers, however much the store holds and whatever PostgreSQL
/// believes about it: here that all of it is one stream, or that it is empty.
#[tokio::test]
async fn every_statement_goes_by_an_index() {
    let database = Database::fresh().unwrap();
    let storage = open(&database).await;
    let statements = [
        (HEAD, "changesets_by_stream"),
        (NEXT_CHECKPOINT, "changesets_pkey"),
        (CERTAIN_END, "changesets_pkey"),
        (GLOBAL, "changesets_pkey"),
        (FILTERED, "changesets_pkey"),
        (CHANGESETS, "changesets_by_stream"),
        (
            CHANGESETS_BACKWARD,
            "Index Scan Backward using changesets_by_stream",
        ),
        (EVENTS, "changesets_by_event"),
        (
            EVENTS_BACKWARD,
            "Index Scan Backward using changesets_by_event",
        ),
        (writer::HEADS, "changesets_by_stream"),
        (writer::HEADS_AND_KEYS, "changesets_by_stream"),
        (writer::HEADS_AND_KEYS, "changesets_by_key_hash"),
        (writer::HEADS, "fence_pkey"),
        (voids::BETWEEN, "void_positions_pkey"),
        (log::TILE, "log_tiles_pkey"),
        (checkpoints::LOAD_CHECKPOINT, "checkpoints_pkey"),
    ];
    for filled in [false, true] {
        if filled {
            let fill = "INSERT INTO ees.changesets
                SELECT n, n + 1, n + 1, n + 1, 0, 5, 's', 'k', '{}', '[1]', ''
                FROM generate_series(0, 9999) AS n; ANALYZE ees.changesets";
            database.sql(fill).unwrap();
        }
        for (number, (statement, index)) in statements.iter().enumerate() {
            let plan = plan(&storage, &format!("p{filled}{number}"), statement).await;
            assert!(plan.contains(index), "{statement}\n{plan}");
            let walks = ["Seq Scan", "Sort", "Bitmap", "Hash"];
            let walks = walks.iter().any(|node| plan.contains(node));
            assert!(!walks, "{statement}\n{plan}");
        }
    }
}

/// The plan that every execution of a prepared statement follows.
async fn plan(storage: &PostgresStorage, name: &str, statement: &str) -> String {
    let mut connection = storage.readers.sessions.open().await.unwrap();
    let count = (1..10)
        .take_while(|n| statement.contains(&format!("${n}")))
        .count();
    let nulls = match count {
        0 => String::new(),
        _ => format!("({})", vec!["NULL"; count].join(", ")),
    };
    let prepare = format!("PREPARE {name} AS {statement}");
    sqlx::raw_sql(AssertSqlSafe(prepare))
        .execute(&mut connection)
        .await
        .unwrap();
    let explain = AssertSqlSafe(format!("EXPLAIN EXECUTE {name} {nulls}"));
    let rows = sqlx::raw_sql(explain)
        .fetch_all(&mut connection)
        .await
        .unwrap();
    let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    lines.join("\n")
}

/// G4: what durability rests on is so in every session, whatever the role was set to.
#[tokio::test]
async fn sessions_are_set_up_on_purpose() {
    let database = Database::fresh().unwrap();
    let name = database.name();
    let spoil = format!(
        "ALTER DATABASE {name} SET synchronous_commit = off;
         ALTER DATABASE {name} SET default_transaction_isolation = 'serializable';
         ALTER DATABASE {name} SET default_transaction_read_only = on;
         ALTER DATABASE {name} SET enable_indexscan = off"
    );
    database.sql(&spoil).unwrap();
    let storage = open(&database).await;
    storage.commit(&commit("s", 0)).await.unwrap();
    for (setting, expected) in [
        ("synchronous_commit", "on"),
        ("transaction_isolation", "read committed"),
        ("transaction_read_only", "off"),
        ("idle_in_transaction_session_timeout", "5s"),
        ("lock_timeout", "15s"),
        ("enable_indexscan", "on"),
        ("application_name", "ees"),
    ] {
        let show = || sqlx::query("SELECT current_setting($1)").bind(setting);
        let row = storage.one(show).await.unwrap().unwrap();
        assert_eq!(row.get::<String, _>(0), expected, "{setting}");
    }
}

/// G3, G6: rows that break the order are told of, not answered.
#[tokio::test]
async fn what_should_never_be_is_corrupt() {
    let database = Database::fresh().unwrap();
    let storage = open(&database).await;
    for last in 0..3 {
        storage.commit(&commit("s", last)).await.unwrap();
    }
    database
        .sql("DELETE FROM ees.changesets WHERE checkpoint = 1")
        .unwrap();
    let read = storage.read_global(Checkpoint::FIRST, PageLimit::default());
    let error = read.await;
    assert!(matches!(error, Err(StorageError::Corrupt(_))), "{error:?}");
    database
        .sql("UPDATE ees.changesets SET commit_id = 'é'")
        .unwrap();
    let all = StreamQuery::all(StreamId::new("s").unwrap());
    let error = storage.read_stream(&all).await;
    assert!(matches!(error, Err(StorageError::Corrupt(_))), "{error:?}");
    // G10: what stands there may be this very commit.
    let again = commit("s", 0);
    let again = NewChangeset::new(again.stream_id, again.expectation, again.events);
    let error = EventStore::new(Arc::new(storage)).commit(again).await;
    let Err(Error::Storage(error)) = error else {
        panic!("it cannot be told: {error:?}");
    };
    assert_eq!(error.written(), Written::Unknown, "{error}");
}

/// G1: a commit whose caller goes away leaves the writer able to go on.
#[tokio::test]
async fn callers_may_go_away() {
    let database = Database::fresh().unwrap();
    let storage = Arc::new(open(&database).await);
    for round in 0..50 {
        let (storage, gone) = (Arc::clone(&storage), commit(&format!("s{round}"), 0));
        let task = tokio::spawn(async move { storage.commit(&gone).await });
        tokio::task::yield_now().await;
        task.abort();
    }
    let outcome = storage.commit(&commit("last", 0)).await.unwrap();
    assert!(matches!(outcome, Outcome::Committed(_)));
    let end = storage.next_checkpoint().await.unwrap();
    let all = storage.read_global(Checkpoint::FIRST, PageLimit::default());
    assert_eq!(all.await.unwrap().next, end);
}

/// Every call answers while more of them come at once than there are readers.
#[tokio::test]
async fn readers_wait_for_each_other() {
    let database = Database::fresh().unwrap();
    let url = format!(
        "{}?allow_fsync_off=true&readers=1&connect_timeout=60",
        database.url()
    );
    let storage = PostgresStorage::open(&url.parse().unwrap()).await.unwrap();
    let reads = (0..50).map(|_| storage.next_checkpoint());
    for read in futures_util::future::join_all(reads).await {
        assert_eq!(read.unwrap(), Checkpoint::FIRST);
    }
}
