//! Stores that were written before: by an older version, and restored from a dump.

use std::path::Path;
use std::process::Command;

use ees_core::adapter::{StatisticsStore, Storage};
use ees_core::{
    Changeset, Checkpoint, CheckpointStore, CommitId, Events, Expectation, Json, PageLimit,
    Statistics, StreamId, StreamQuery, Timestamp,
};
use ees_postgres::PostgresStorage;
use ees_postgres_testkit::Database;

use crate::support::{commit, open};

fn run(mut command: Command) -> String {
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// What the fixtures hold: payloads that show whether their text was kept, two streams, both with
/// changesets of several events.
async fn fill(storage: &PostgresStorage) {
    let payloads = [
        ("order-17", r#"[{"b": 1, "a": 1.10, "b": 2}]"#, "{}"),
        (
            "日本/ü",
            r#"[ 1E400, "\u00e9\u0000", 123456789012345678901234567890 ]"#,
            "null",
        ),
        ("order-17", r#"["x","y"]"#, r#"{ "by" : "me" }"#),
    ];
    for (number, (stream, events, metadata)) in (1..).zip(payloads) {
        let mut commit = commit(stream, u64::from(number == 3));
        commit.events = Events::parse(events).unwrap();
        commit.metadata = Json::parse(metadata).unwrap();
        commit.commit_id = CommitId::new(&format!("key {number}")).unwrap();
        commit.timestamp = Timestamp::from_micros(number * 1_000_001).unwrap();
        storage.commit(&commit).await.unwrap();
    }
    let statistics = Statistics {
        version: Checkpoint::new(2).unwrap(),
        total_streams: 2,
        total_changesets: 2,
        total_events: 4,
        max_stream_length: 1,
    };
    storage
        .swap_statistics(Checkpoint::FIRST, &statistics)
        .await
        .unwrap();
    let saved = Checkpoint::new(1).unwrap();
    storage.save_checkpoint("totals", saved).await.unwrap();
}

/// Everything that can be read of a store.
async fn everything(storage: &PostgresStorage) -> (Vec<Changeset>, Vec<Changeset>, Vec<String>) {
    let all = storage
        .read_global(Checkpoint::FIRST, PageLimit::default())
        .await;
    let stream_id: StreamId = "order-17".parse().unwrap();
    let head = storage.head(&stream_id).await.unwrap();
    let by_event = StreamQuery::all(stream_id).events(2..).backward();
    let stream = storage.read_stream(&by_event).await.unwrap().items;
    let rest = vec![
        format!("{head:?}"),
        format!("{:?}", storage.load_statistics().await.unwrap()),
        format!("{:?}", storage.load_checkpoint("totals").await.unwrap()),
        format!("{:?}", storage.next_checkpoint().await.unwrap()),
    ];
    (all.unwrap().changesets, stream, rest)
}

/// Every version of the schema, with data, as it was written: whatever comes later opens it, and
/// reads it as what is written today.
///
/// Made with `pg_dump --schema=ees --inserts --no-owner --no-privileges` of a store that `fill`
/// had filled, without the lines that begin with a backslash.
#[tokio::test]
async fn what_older_versions_wrote_is_read() {
    let today = Database::fresh().unwrap();
    let written_today = open(&today).await;
    fill(&written_today).await;
    let expected = everything(&written_today).await;

    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    for version in 1.. {
        let fixture = fixtures.join(format!("v{version}.sql"));
        if !fixture.exists() {
            assert!(version > 1, "there is a fixture");
            break;
        }
        let database = Database::fresh().unwrap();
        let mut psql = database.command("psql");
        psql.args(["--quiet", "--set=ON_ERROR_STOP=1", "--file"]);
        psql.arg(&fixture);
        run(psql);
        let storage = open(&database).await;
        assert_eq!(everything(&storage).await, expected, "version {version}");
        goes_on(&storage).await;
    }
}

async fn goes_on(storage: &PostgresStorage) {
    let mut next = commit("order-17", 0);
    next.expectation = Expectation::LastEvent(3);
    storage.commit(&next).await.unwrap();
    assert_eq!(storage.next_checkpoint().await.unwrap().get(), 4);
}

/// G4: as docs/postgres.md says.
#[tokio::test]
async fn a_dump_is_restored() {
    let (database, other) = (Database::fresh().unwrap(), Database::fresh().unwrap());
    let storage = open(&database).await;
    fill(&storage).await;
    let file = std::env::temp_dir().join(format!("{}.dump", database.name()));
    let mut dump = database.command("pg_dump");
    dump.args(["--schema=ees", "--format=custom", "--file"]);
    dump.arg(&file);
    run(dump);
    let mut restore = other.command("pg_restore");
    restore.args(["--exit-on-error", "--no-owner", "--dbname", other.name()]);
    restore.arg(&file);
    run(restore);
    std::fs::remove_file(&file).unwrap();
    let restored = open(&other).await;
    assert_eq!(everything(&restored).await, everything(&storage).await);
    goes_on(&restored).await;
}
