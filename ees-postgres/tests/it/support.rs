//! Stores in databases of their own.

use std::time::{Duration, Instant};

use ees_core::adapter::Commit;
use ees_core::{CommitId, Events, Expectation, Json, StreamId, Timestamp};
use ees_postgres::{OpenError, PostgresConfig, PostgresStorage};
use ees_postgres_testkit::Database;

/// The configuration of a store in a database, with further settings of the URL. A loaded machine
/// may take long to connect.
pub(crate) fn config(database: &Database, settings: &str) -> PostgresConfig {
    let url = format!(
        "{}?allow_fsync_off=true&connect_timeout=60{settings}",
        database.url()
    );
    url.parse().expect("a URL")
}

/// Opens a store in a database.
pub(crate) async fn open(database: &Database) -> PostgresStorage {
    try_open(database, "").await.expect("a store")
}

pub(crate) async fn try_open(
    database: &Database,
    settings: &str,
) -> Result<PostgresStorage, OpenError> {
    PostgresStorage::open(&config(database, settings)).await
}

/// A commit of one event.
pub(crate) fn commit(stream: &str, last: u64) -> Commit {
    Commit {
        stream_id: StreamId::new(stream).expect("a stream id"),
        expectation: Expectation::LastChangeset(last),
        events: Events::parse(r#"[{"type": "tested"}]"#).expect("events"),
        metadata: Json::default(),
        commit_id: CommitId::generate(),
        set: None,
        timestamp: Timestamp::now(),
    }
}

/// What another server would do to append a changeset of one event at the end of the order.
pub(crate) fn raw_append(stream: &str, changeset: u64) -> String {
    format!(
        "SELECT pg_advisory_xact_lock(1162171185, 'ees.changesets'::regclass::oid::integer);
         INSERT INTO ees.changesets
         SELECT coalesce(max(checkpoint) + 1, 0), {changeset}, {changeset}, {changeset}, 0, 5,
                '{stream}', 'raw', '{{}}', '[1]'
         FROM ees.changesets"
    )
}

/// Longer than anything takes that is waited for.
pub(crate) const LONG: Duration = Duration::from_mins(5);

/// Waits until something is so.
pub(crate) async fn until(is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < LONG, "waited in vain");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
