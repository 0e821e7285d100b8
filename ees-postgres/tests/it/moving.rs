//! What an import and a fence do among several servers, and on connections that are cut.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ees_conformance::evidence_cases;
use ees_conformance::subject::Subject;
use ees_conformance::{Adapter, AdapterHarness, Capabilities, EvidenceHarness, Harness};
use ees_core::adapter::{Fence, Import, ImportOutcome, LogStore, Outcome, Storage};
use ees_core::{Changeset, Checkpoint, Expectation, GlobalPage, PageLimit, StorageError};
use ees_postgres::PostgresStorage;
use ees_postgres_testkit::Database;

use crate::conformance::Postgres;
use crate::proxy::{Cut, Proxy};
use crate::support::{commit, open, until};

/// A server, and another one that fences the store of both.
struct Beside(Postgres, Arc<PostgresStorage>);

#[async_trait]
impl Harness for Beside {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    async fn start() -> Self {
        let one = Postgres::start().await;
        let other = Arc::new(open(&one.database).await);
        Self(one, other)
    }

    fn subject(&self) -> Arc<dyn Subject> {
        self.0.subject()
    }

    async fn restart(&mut self) {
        self.0.restart().await;
    }

    async fn settle(&self) {}

    fn time_limit(&self) -> Duration {
        self.0.time_limit()
    }
}

impl AdapterHarness for Beside {
    fn storage(&self) -> Arc<dyn Adapter> {
        self.0.storage()
    }
}

impl EvidenceHarness for Beside {
    fn log(&self) -> Arc<dyn LogStore> {
        self.0.log()
    }

    fn import(&self) -> Arc<dyn Import> {
        self.0.import()
    }

    fn fence(&self) -> Option<Arc<dyn Fence>> {
        Some(Arc::clone(&self.1) as _)
    }
}

#[test]
fn a_store_is_fenced_by_another_server() {
    for case in evidence_cases::EVIDENCE_CASES {
        if case.name.starts_with("fence::") {
            evidence_cases::run::<Beside>(case.name);
        }
    }
}

/// A commit is held before COMMIT by this trigger, until the test lets its lock go.
const GATE: &str = "
    CREATE FUNCTION ees.gate() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER gate AFTER INSERT ON ees.changesets
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ees.gate()";

/// How many wait for a lock.
const WAITING: &str = "
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event = 'advisory'";

/// G14: a fence waits for the commit that has begun, and those behind it are refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fence_waits_for_the_commit_that_has_begun() {
    let database = Database::fresh().unwrap();
    let servers = [open(&database).await, open(&database).await].map(Arc::new);
    database.sql(GATE).unwrap();
    let gate = database.hold("SELECT pg_advisory_lock(42)").unwrap();
    let begun = Arc::clone(&servers[0]);
    let begun = tokio::spawn(async move { begun.commit(&commit("begun", 0)).await });
    until(|| database.sql(WAITING).unwrap() == "1").await;
    let fencing = Arc::clone(&servers[1]);
    let fencing = tokio::spawn(async move { fencing.fence("there").await });
    until(|| database.sql(WAITING).unwrap() == "2").await;
    assert_eq!(servers[1].fence_state().await.unwrap(), None);
    drop(gate);
    let begun = begun.await.unwrap().unwrap();
    assert!(matches!(begun, Outcome::Committed(_)));
    fencing.await.unwrap().unwrap();
    for server in &servers {
        let refused = server.commit(&commit("late", 0)).await;
        assert!(matches!(refused, Err(StorageError::Fenced { .. })));
        let end = server.next_checkpoint().await.unwrap();
        assert_eq!(end, Checkpoint::FIRST.plus(1));
    }
}

fn page(from: Checkpoint) -> GlobalPage {
    let slot = Expectation::NEW_STREAM.judge(None, 1).slot().unwrap();
    let changeset = |(at, stream): (u64, &str)| -> Changeset {
        commit(stream, 0).into_changeset(slot, Some(from.plus(at)))
    };
    GlobalPage {
        changesets: [(3, "a"), (4, "b"), (9, "c")].map(changeset).to_vec(),
        next: from.plus(10),
    }
}

/// G14: an import whose connection is cut at COMMIT is stored whole or not at all, and may be repeated.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_is_cut_may_be_repeated() {
    for cut in [Cut::Before, Cut::After] {
        let database = Database::fresh().unwrap();
        let proxy = Proxy::start(&database, cut).await;
        let storage = PostgresStorage::open(&proxy.config).await.unwrap();
        let from = storage.begin_import().await.unwrap();
        let page = page(from);
        proxy.cut_next(1);
        let error = storage.import(from, &page).await.unwrap_err();
        assert!(matches!(error, StorageError::Unavailable { .. }), "{error}");
        let again = storage.import(from, &page).await.unwrap();
        let expected = match cut {
            Cut::Before => ImportOutcome::Imported,
            Cut::After => ImportOutcome::EndsAt(page.next),
        };
        assert_eq!(again, expected, "{cut:?}");
        let all = storage.read_global(Checkpoint::FIRST, PageLimit::default());
        assert_eq!(all.await.unwrap(), page, "{cut:?}");
        storage.close().await;
    }
}

/// G14: a fence whose connection is cut may be repeated.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fence_that_is_cut_may_be_repeated() {
    for cut in [Cut::Before, Cut::After] {
        let database = Database::fresh().unwrap();
        let proxy = Proxy::start(&database, cut).await;
        let storage = PostgresStorage::open(&proxy.config).await.unwrap();
        proxy.cut_next(1);
        assert!(storage.fence("there").await.is_err());
        let state = storage.fence_state().await.unwrap();
        assert_eq!(state.is_some(), cut == Cut::After);
        storage.fence("elsewhere").await.unwrap();
        let state = storage.fence_state().await.unwrap();
        assert_eq!(state.as_deref(), Some("elsewhere"));
        storage.close().await;
    }
}

/// A connection that was lost while it was idle costs nothing. A closed store does nothing.
#[tokio::test]
async fn connections_of_imports_come_and_go() {
    let database = Database::fresh().unwrap();
    let storage = open(&database).await;
    let first = page(Checkpoint::FIRST);
    storage.import(Checkpoint::FIRST, &first).await.unwrap();
    database.cut_connections().unwrap();
    let second = storage.import(Checkpoint::FIRST, &first).await.unwrap();
    assert_eq!(second, ImportOutcome::EndsAt(first.next));
    storage.finish_import().await.unwrap();
    storage.close().await;
    for answer in [
        storage.fence("there").await.err(),
        storage.begin_import().await.err(),
        storage
            .import(Checkpoint::FIRST, &page(Checkpoint::FIRST))
            .await
            .err(),
    ] {
        assert!(matches!(answer, Some(StorageError::Unavailable { .. })));
    }
    let count = "SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()";
    until(|| database.sql(count).unwrap() == "0").await;
}

/// Names come in pages of 1000.
#[tokio::test]
async fn many_subscriptions_come_in_pages() {
    let database = Database::fresh().unwrap();
    let storage = open(&database).await;
    let many = "INSERT INTO ees.checkpoints
        SELECT 'name-' || lpad(n::text, 5, '0'), n FROM generate_series(1, 2500) AS n";
    database.sql(many).unwrap();
    let mut after = String::new();
    let mut pages = Vec::new();
    loop {
        let page = storage.subscriptions(&after).await.unwrap();
        let Some(last) = page.last() else { break };
        after.clone_from(last);
        pages.push(page.len());
    }
    assert_eq!(pages, [1000, 1000, 500]);
    assert_eq!(after, "name-02500");
}
