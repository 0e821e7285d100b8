//! G6, G7: what writers may do at the worst moment, and a reader who must miss nothing.
//!
//! A gate stands before the end of every transaction that appends: a constraint trigger, deferred
//! to COMMIT, that waits for a lock which the test holds. So a real server is stopped with its rows
//! written and not committed, for as long as it takes.

use std::sync::Arc;

use ees_core::adapter::{Outcome, Storage};
use ees_core::{Checkpoint, PageLimit};
use ees_postgres::PostgresStorage;
use ees_postgres_testkit::{Database, Held};
use tokio::task::JoinHandle;

use crate::support::{commit, open, raw_append, until};

const GATE: &str = "
    CREATE FUNCTION ees.gate() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER gate AFTER INSERT ON ees.changesets
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ees.gate()";

/// How many wait for a lock.
const WAITING: &str = "
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event = 'advisory'";

/// Two servers on one database with a gate.
struct Scene {
    servers: [Arc<PostgresStorage>; 2],
    database: Database,
    next: Checkpoint,
    read: Vec<String>,
}

type Committing = JoinHandle<Outcome>;

impl Scene {
    async fn new() -> Self {
        let database = Database::fresh().unwrap();
        let servers = [open(&database).await, open(&database).await].map(Arc::new);
        database.sql(GATE).unwrap();
        Self {
            servers,
            database,
            next: Checkpoint::FIRST,
            read: Vec::new(),
        }
    }

    fn close_gate(&self) -> Held {
        self.database.hold("SELECT pg_advisory_lock(42)").unwrap()
    }

    /// Lets a server commit, and returns once so many stand before a lock.
    async fn commit(&self, server: usize, stream: &str, last: u64, waiting: &str) -> Committing {
        let (server, commit) = (Arc::clone(&self.servers[server]), commit(stream, last));
        let task = tokio::spawn(async move { server.commit(&commit).await.unwrap() });
        until(|| self.database.sql(WAITING).unwrap() == waiting).await;
        task
    }

    /// Reads on, through the other server, and says which streams it got so far.
    async fn read(&mut self) -> &[String] {
        let page = self.servers[1].read_global(self.next, PageLimit::default());
        let page = page.await.unwrap();
        let names = page.changesets.iter().map(|c| c.stream_id.to_string());
        self.read.extend(names);
        self.next = page.next;
        &self.read
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_is_held_before_its_commit_is_not_passed() {
    let mut scene = Scene::new().await;
    let gate = scene.close_gate();
    let held = scene.commit(0, "held", 0, "1").await;
    let behind = scene.commit(1, "behind", 0, "2").await;
    assert!(scene.read().await.is_empty(), "nothing is committed");
    assert_eq!(scene.next, Checkpoint::FIRST);
    drop(gate);
    for task in [held, behind] {
        assert!(matches!(task.await.unwrap(), Outcome::Committed(_)));
    }
    assert_eq!(scene.read().await, ["held", "behind"]);
}

/// Its connection is cut, with it goes what it had written, and it writes anew: nothing is lost,
/// doubled, or left out of the order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_is_cut_off_leaves_no_hole() {
    let mut scene = Scene::new().await;
    let gate = scene.close_gate();
    let cut = scene.commit(0, "cut", 0, "1").await;
    let behind = scene.commit(1, "behind", 0, "2").await;
    let victim = "SELECT pg_terminate_backend(pid, 60000) FROM pg_locks
                  WHERE locktype = 'advisory' AND classid = 1162171185 AND granted AND database =
                      (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert_eq!(scene.database.sql(victim).unwrap(), "t");
    // The one behind has the lock now, and stands before the gate; the one cut off behind it.
    until(|| scene.database.sql(WAITING).unwrap() == "2").await;
    assert!(scene.read().await.is_empty(), "nothing is committed");
    drop(gate);
    for task in [cut, behind] {
        assert!(matches!(task.await.unwrap(), Outcome::Committed(_)));
    }
    assert_eq!(scene.read().await, ["behind", "cut"]);
}

/// A transaction that began, and was given its number, before all others, and appends after them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_early_transaction_that_appends_late_is_read_late() {
    let mut scene = Scene::new().await;
    let mut early = scene.database.hold("SELECT pg_current_xact_id()").unwrap();
    let mut idle = scene.database.hold("SELECT pg_current_xact_id()").unwrap();
    let outcome = scene.servers[0].commit(&commit("first", 0)).await.unwrap();
    assert!(matches!(outcome, Outcome::Committed(_)));
    assert_eq!(scene.read().await, ["first"], "nobody holds a reader up");
    early.run(&raw_append("early", 1)).unwrap();
    let behind = scene.commit(0, "behind", 0, "1").await;
    assert_eq!(scene.read().await, ["first"]);
    early.commit().unwrap();
    behind.await.unwrap();
    assert_eq!(scene.read().await, ["first", "early", "behind"]);
    idle.run(&raw_append("idle", 1)).unwrap();
    idle.commit().unwrap();
    assert_eq!(scene.read().await, ["first", "early", "behind", "idle"]);
}

/// Rolled back, and killed: its position is given to the next one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_is_rolled_back_leaves_no_hole() {
    let mut scene = Scene::new().await;
    for (number, name) in [(1, "first"), (2, "second")] {
        let gone = scene.database.hold(&raw_append("gone", 1)).unwrap();
        let behind = scene.commit(0, name, 0, "1").await;
        match number {
            1 => gone.rollback().unwrap(),
            _ => drop(gone),
        }
        behind.await.unwrap();
        assert_eq!(scene.read().await.len(), number);
    }
    assert_eq!(scene.read().await, ["first", "second"]);
    assert_eq!(scene.next.get(), 2);
}

/// What breaks the rules, and takes a position without the lock, is caught by the constraints: the
/// one who keeps them waits, and takes the next position.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_without_the_lock_takes_nothing_from_others() {
    let mut scene = Scene::new().await;
    let append = raw_append("rude", 1);
    let (_lock, append) = append.split_once(';').unwrap();
    let rude = scene.database.hold(append).unwrap();
    let server = Arc::clone(&scene.servers[0]);
    let polite = commit("polite", 0);
    let polite = tokio::spawn(async move { server.commit(&polite).await.unwrap() });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                 AND wait_event = 'transactionid'";
    until(|| scene.database.sql(waits).unwrap() == "1").await;
    rude.commit().unwrap();
    assert!(matches!(polite.await.unwrap(), Outcome::Committed(_)));
    assert_eq!(scene.read().await, ["rude", "polite"]);
}

/// A page that is being read while the order goes on ends where it was when the read began.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_lands_in_mid_read_is_read_next() {
    let mut scene = Scene::new().await;
    for last in 0..3 {
        scene.servers[0].commit(&commit("s", last)).await.unwrap();
    }
    // Readers of the table wait here, after they were asked and before they see anything.
    let wall = scene
        .database
        .hold("LOCK TABLE ees.changesets IN ACCESS EXCLUSIVE MODE");
    let wall = wall.unwrap();
    let server = Arc::clone(&scene.servers[1]);
    let reading = tokio::spawn(async move {
        let page = server
            .read_global(Checkpoint::FIRST, PageLimit::items(2))
            .await;
        page.unwrap()
    });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                 AND wait_event = 'relation'";
    until(|| scene.database.sql(waits).unwrap() == "1").await;
    let server = Arc::clone(&scene.servers[0]);
    let landing = tokio::spawn(async move { server.commit(&commit("s", 3)).await.unwrap() });
    until(|| scene.database.sql(waits).unwrap() == "2").await;
    wall.commit().unwrap();
    landing.await.unwrap();
    let page = reading.await.unwrap();
    assert_eq!((page.changesets.len(), page.next.get()), (2, 2));
    scene.next = page.next;
    assert_eq!(scene.read().await, ["s", "s"]);
    assert_eq!(scene.next.get(), 4);
}
