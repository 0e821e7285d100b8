//! What an import and a fence leave in the file, and the fence of a file that is served.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use ees_conformance::evidence_cases;
use ees_conformance::subject::Subject;
use ees_conformance::{Adapter, AdapterHarness, Capabilities, EvidenceHarness, Harness};
use ees_core::adapter::{Commit, Fence, Import, LogStore, Outcome, Storage};
use ees_core::{
    Checkpoint, CommitId, Events, Expectation, Json, PageLimit, StorageError, StreamId, Timestamp,
};
use ees_sqlite::{FileFence, OpenError, SqliteConfig, SqliteStorage};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::conformance::Sqlite;

/// A served file, which another connection fences, as another process would.
struct Beside(Sqlite, Arc<FileFence>);

impl Beside {
    async fn fence_of(served: &Sqlite) -> Arc<FileFence> {
        let config = SqliteConfig::new(served.folder.path().join("ees.db"));
        Arc::new(FileFence::of(&config).await.expect("the fence of a file"))
    }
}

#[async_trait]
impl Harness for Beside {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    async fn start() -> Self {
        let served = Sqlite::start().await;
        let fence = Self::fence_of(&served).await;
        Self(served, fence)
    }

    fn subject(&self) -> Arc<dyn Subject> {
        self.0.subject()
    }

    async fn restart(&mut self) {
        self.0.restart().await;
    }

    async fn settle(&self) {}
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
fn a_served_file_is_fenced_by_another_connection() {
    for case in evidence_cases::EVIDENCE_CASES {
        if case.name.starts_with("fence::") {
            evidence_cases::run::<Beside>(case.name);
        }
    }
}

async fn open(path: &Path) -> SqliteStorage {
    SqliteStorage::open(&SqliteConfig::new(path)).await.unwrap()
}

fn commit(stream: &str, last: u64, id: &str) -> Commit {
    Commit {
        stream_id: StreamId::new(stream).unwrap(),
        expectation: Expectation::LastChangeset(last),
        events: Events::parse("[1]").unwrap(),
        metadata: Json::default(),
        commit_id: CommitId::new(id).unwrap(),
        set: None,
        timestamp: Timestamp::from_micros(7).unwrap(),
    }
}

/// The fence that a store has made is that of its file, and the other way round.
#[tokio::test]
async fn the_fence_of_a_file_is_that_of_its_store() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ees.db");
    let storage = open(&path).await;
    let file = FileFence::of(&SqliteConfig::new(&path)).await.unwrap();
    storage.commit(&commit("s", 0, "a")).await.unwrap();
    for (one, other) in [
        (&storage as &dyn Fence, &file as &dyn Fence),
        (&file, &storage),
    ] {
        one.fence("there").await.unwrap();
        let state = other.fence_state().await.unwrap();
        assert_eq!(state.as_deref(), Some("there"));
        let refused = storage.commit(&commit("s", 1, "b")).await;
        let is_fenced =
            matches!(refused, Err(StorageError::Fenced { ref moved_to }) if moved_to == "there");
        assert!(is_fenced, "{refused:?}");
        other.lift_fence().await.unwrap();
        assert_eq!(one.fence_state().await.unwrap(), None);
    }
    // A store that nobody serves can be fenced, too.
    storage.close().await;
    file.fence("there").await.unwrap();
    let storage = open(&path).await;
    let refused = storage.commit(&commit("s", 1, "b")).await;
    assert!(matches!(refused, Err(StorageError::Fenced { .. })));
    file.lift_fence().await.unwrap();
    let committed = storage.commit(&commit("s", 1, "b")).await;
    assert!(matches!(committed, Ok(Outcome::Committed(_))));
}

/// G12: what is not the file of a store with the current schema is left as it is.
#[tokio::test]
async fn only_a_current_store_has_a_fence() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ees.db");
    let config = SqliteConfig::new(&path);
    let refusal = async || FileFence::of(&config).await.unwrap_err();
    assert!(matches!(refusal().await, OpenError::Missing(_)));
    assert!(!path.exists(), "nothing is made");
    let old = include_bytes!("../data/version-1.sqlite");
    for (content, expected) in [
        (&b"something else, longer than the header of a database, which has 100 bytes, so that it is looked at"[..], "is not an event store"),
        (old, "has the schema of an earlier version"),
    ] {
        std::fs::write(&path, content).unwrap();
        let said = refusal().await.to_string();
        assert!(said.contains(expected), "{said}");
        assert_eq!(std::fs::read(&path).unwrap(), content, "unchanged");
    }
}

/// The rows of some tables, as text.
fn rows(path: &Path) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    let rows = "
        SELECT 'key' || stream_id || key_hash || changeset_id FROM client_keys
        UNION ALL SELECT 'set' || checkpoint || stream_id || changeset_id || commit_id || event_types
        FROM changesets";
    let mut rows = connection.prepare(rows).unwrap();
    let rows = rows.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// G10, G15: an import leaves the rows that the commits left, whatever its pages are: filed keys, and
/// types of events.
#[tokio::test]
async fn an_import_files_what_commits_file() {
    let folder = TempDir::new().unwrap();
    let [from, to] = ["from.db", "to.db"].map(|name| folder.path().join(name));
    let source = open(&from).await;
    for last in 0..70 {
        for stream in ["a", "b"] {
            let id = match last % 3 {
                0 => format!("ees-{last}"),
                _ => format!("key-{last}"),
            };
            source.commit(&commit(stream, last, &id)).await.unwrap();
        }
    }
    let all = source.read_global(Checkpoint::FIRST, PageLimit::default());
    let all = all.await.unwrap();
    source.close().await;
    let target = open(&to).await;
    let mut at = target.begin_import().await.unwrap();
    for changesets in all.changesets.chunks(33) {
        let page = ees_core::GlobalPage {
            changesets: changesets.to_vec(),
            next: at.plus(changesets.len() as u64),
        };
        target.import(at, &page).await.unwrap();
        at = page.next;
    }
    target.close().await;
    let expected = rows(&from);
    assert!(expected.iter().any(|row| row.starts_with("key")));
    assert_eq!(rows(&to), expected);
}

/// Names come in pages of 1000.
#[tokio::test]
async fn many_subscriptions_come_in_pages() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ees.db");
    let storage = open(&path).await;
    let many = "
        WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT 2500)
        INSERT INTO checkpoints SELECT printf('name-%05d', n), n FROM numbers";
    Connection::open(&path).unwrap().execute(many, []).unwrap();
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
