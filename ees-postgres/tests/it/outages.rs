//! Answers that are lost, connections that are cut, a database that restarts, a disk that is full.

use std::sync::Arc;
use std::time::Duration;

use ees_core::adapter::{Outcome, Refusal, Storage};
use ees_core::{
    Checkpoint, Error, EventStore, Events, Expectation, GlobalPage, NewChangeset, PageLimit,
    StorageError, Written,
};
use ees_postgres::PostgresStorage;
use ees_postgres_testkit::{Database, Server, Settings};
use tokio::time::timeout;

use crate::proxy::{Cut, Proxy};
use crate::support::{LONG, commit, open};

async fn log(storage: &PostgresStorage) -> GlobalPage {
    let page = storage.read_global(Checkpoint::FIRST, PageLimit::default());
    page.await.unwrap()
}

fn asked(last: u64) -> NewChangeset {
    let events = Events::parse("[1]").unwrap();
    NewChangeset::new(
        "s".parse().unwrap(),
        Expectation::LastChangeset(last),
        events,
    )
}

/// G10: whether a commit lasted is found out by its commit id under the lock, never guessed: the
/// caller hears of nothing but the truth.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_to_commit_is_found_out() {
    for cut in [Cut::Before, Cut::After] {
        let database = Database::fresh().unwrap();
        let proxy = Proxy::start(&database, cut).await;
        let storage = Arc::new(PostgresStorage::open(&proxy.config).await.unwrap());
        let store = EventStore::new(Arc::clone(&storage));
        store.commit(asked(0)).await.unwrap();
        proxy.cut_next(1);
        let receipt = store.commit(asked(1)).await.unwrap();
        assert!(proxy.has_cut_all(), "{cut:?}: the answer was lost");
        assert_eq!(receipt.changeset_id.get(), 2, "{cut:?}");
        assert_eq!(receipt.checkpoint.unwrap().get(), 1, "{cut:?}");
        let stands = log(&storage).await.changesets;
        assert_eq!(stands.len(), 2, "{cut:?}: once");
        let late = store.commit(asked(1)).await;
        assert!(matches!(late, Err(Error::Conflict(_))), "{cut:?}: {late:?}");
    }
}

/// G10: as long as every answer is lost nobody knows, and that is what is said.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outcome_that_cannot_be_known_is_told_as_such() {
    let database = Database::fresh().unwrap();
    let proxy = Proxy::start(&database, Cut::Before).await;
    let storage = PostgresStorage::open(&proxy.config).await.unwrap();
    proxy.cut_next(2);
    let error = storage.commit(&commit("s", 0)).await.unwrap_err();
    assert_eq!(error.written(), Written::Unknown, "{error}");
    assert_eq!(log(&storage).await.changesets.len(), 0);
    let outcome = storage.commit(&commit("s", 0)).await.unwrap();
    assert!(matches!(outcome, Outcome::Committed(_)), "it goes on");

    // The first try lasts, the second one finds it, and others hear of it.
    let proxy = Proxy::start(&database, Cut::After).await;
    let storage = PostgresStorage::open(&proxy.config).await.unwrap();
    let other = open(&database).await;
    storage.commit(&commit("t", 0)).await.unwrap();
    while timeout(Duration::from_secs(1), other.news()).await.is_ok() {}
    proxy.cut_next(1);
    let news = other.news();
    let outcome = storage.commit(&commit("s", 1)).await.unwrap();
    assert_eq!(outcome, Outcome::Refused(Refusal::Outdated));
    timeout(LONG, news).await.expect("G8: it stands");
    assert_eq!(log(&storage).await.changesets.len(), 3);
}

/// G10: what a standby, to which the primary failed over, cannot tell is not known. It may be asked
/// again until there is a primary.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_to_a_standby_is_waited_for() {
    let server = Arc::new(Server::start().unwrap());
    let database = server.database().unwrap();
    let proxy = Proxy::start(&database, Cut::After).await;
    let storage = Arc::new(PostgresStorage::open(&proxy.config).await.unwrap());
    let store = EventStore::new(Arc::clone(&storage));
    store.commit(asked(0)).await.unwrap();
    let failed = Arc::clone(&server);
    proxy.then(move || failed.stand_by().unwrap());
    proxy.cut_next(1);
    let mut again = asked(1);
    again.idempotency_key = Some("k".parse().unwrap());
    let error = store.commit(again.clone()).await.unwrap_err();
    assert!(
        matches!(&error, Error::Storage(error) if error.written() == Written::Unknown),
        "it stands: {error}"
    );
    let error = storage.commit(&commit("t", 0)).await.unwrap_err();
    assert!(
        matches!(
            &error,
            StorageError::Unavailable {
                written: Written::None,
                ..
            }
        ),
        "it will be a primary: {error}"
    );
    database.sql("SELECT pg_promote()").unwrap();
    let receipt = store.commit(again).await.unwrap();
    assert_eq!(receipt.changeset_id.get(), 2);
    assert_eq!(log(&storage).await.changesets.len(), 2, "once");
}

/// G4, G8: connections that went while nobody used them are nobody's business.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_an_idle_database_is_not_noticed_by_writers() {
    let server = Server::start().unwrap();
    let database = server.database().unwrap();
    let storage = open(&database).await;
    storage.commit(&commit("s", 0)).await.unwrap();
    for (last, end) in [(1, Server::stop as fn(&Server) -> _), (2, Server::kill)] {
        end(&server).unwrap();
        let error = storage.commit(&commit("s", last)).await.unwrap_err();
        let StorageError::Unavailable { written, .. } = error else {
            panic!("it will come back: {error}");
        };
        assert_eq!(written, Written::None, "nobody was there");
        let error = storage.next_checkpoint().await.unwrap_err().to_string();
        assert!(error.contains("refused"), "what the matter is: {error}");
        server.resume().unwrap();
        let outcome = storage.commit(&commit("s", last)).await.unwrap();
        assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
        database.cut_connections().unwrap();
        let outcome = storage.commit(&commit("t", last - 1)).await.unwrap();
        assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
    }
    storage.close().await;
    let storage = open(&database).await;
    assert_eq!(log(&storage).await.changesets.len(), 5);
}

/// G10: a reader whose connection was cut since it was used a moment ago reads on another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_connections_are_not_noticed_by_readers() {
    let database = Database::fresh().unwrap();
    let storage = open(&database).await;
    for last in 0..5 {
        storage.commit(&commit("s", last)).await.unwrap();
        // So that as many connections as can be are cut.
        let reads = (0..8).map(|_| storage.next_checkpoint());
        for next in futures_util::future::join_all(reads).await {
            assert_eq!(next.unwrap().get(), last + 1);
        }
        database.cut_connections().unwrap();
    }
    let log = log(&storage).await;
    assert_eq!(log.changesets.len(), 5);
}

/// G4, G12: what does not fit is refused for certain, reads go on, and so do commits as soon as
/// there is room again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_and_loses_nothing() {
    let settings = Settings {
        disk: Some(200),
        ..Settings::default()
    };
    let server = Server::with(settings).unwrap();
    let database = server.database().unwrap();
    let storage = open(&database).await;
    let mut large = commit("s", 0);
    large.events = Events::of(&["x".repeat(100), incompressible(100_000)]).unwrap();
    // The log gets a new file, with room for what follows.
    database.sql("SELECT pg_switch_wal()").unwrap();
    storage.commit(&large).await.unwrap();
    server.fill_disk().unwrap();
    large.expectation = Expectation::LastChangeset(1);
    let error = storage.commit(&large).await.unwrap_err();
    let StorageError::Unavailable {
        reason, written, ..
    } = error
    else {
        panic!("a full disk is worth a retry: {error}");
    };
    assert!(
        reason.starts_with("the database's disk is full"),
        "{reason}"
    );
    assert_eq!(written, Written::None);
    assert_eq!(log(&storage).await.changesets.len(), 1, "reads go on");
    server.free_disk().unwrap();
    let outcome = storage.commit(&large).await.unwrap();
    assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
    assert_eq!(log(&storage).await.changesets.len(), 2);
}

/// What docs/postgres.md says of payloads in PostgreSQL's log, and how to keep them out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payloads_stay_out_of_the_log_if_the_role_is_set_so() {
    let server = Server::start().unwrap();
    let database = server.database().unwrap();
    let role = "CREATE ROLE ees LOGIN PASSWORD 'p'; CREATE SCHEMA ees AUTHORIZATION ees";
    database.sql(role).unwrap();
    let config = database.url_of("ees", "p").parse().unwrap();
    for (setting, is_logged) in [("RESET", true), ("SET", false)] {
        let value = if is_logged { "" } else { "= panic" };
        let alter = format!("ALTER ROLE ees {setting} log_min_error_statement {value}");
        database.sql(&alter).unwrap();
        let storage = PostgresStorage::open(&config).await.unwrap();
        let refuse = "REVOKE INSERT ON ees.changesets FROM ees";
        database.sql(refuse).unwrap();
        let mut commit = commit("s", 0);
        commit.events = Events::of(&[format!("secret {setting}")]).unwrap();
        storage.commit(&commit).await.unwrap_err();
        let log = database.sql("SELECT pg_read_file('../log')").unwrap();
        assert!(log.contains("permission denied"), "errors are: {log}");
        let secret = format!("secret {setting}");
        assert_eq!(log.contains(&secret), is_logged, "{log}");
        storage.close().await;
    }
}

/// Text that PostgreSQL cannot make smaller.
fn incompressible(bytes: usize) -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'0' + u8::try_from(state % 75).unwrap())
    };
    let text: String = (0..bytes).map(next).collect();
    text.replace('\\', "-")
}

/// G12: an operator takes the tables away and brings them back. Nothing was written meanwhile, and a
/// retry is worth it.
#[tokio::test]
async fn missing_tables_are_an_outage() {
    let database = Database::fresh().unwrap();
    let storage = open(&database).await;
    storage.commit(&commit("s", 0)).await.unwrap();
    storage.check_writable().await.unwrap();
    let away = "ALTER TABLE ees.statistics RENAME TO away";
    database.sql(away).unwrap();
    storage.check_writable().await.unwrap_err();
    let back = "ALTER TABLE ees.away RENAME TO statistics";
    database.sql(back).unwrap();
    storage.check_writable().await.unwrap();
    let away = "ALTER TABLE ees.changesets RENAME TO away";
    database.sql(away).unwrap();
    let read = storage.read_global(Checkpoint::FIRST, PageLimit::default());
    let errors = [
        storage.commit(&commit("s", 1)).await.unwrap_err(),
        read.await.unwrap_err(),
    ];
    for error in errors {
        let is_outage = matches!(error, StorageError::Unavailable { .. });
        assert!(is_outage, "{error:?}");
        assert_eq!(error.written(), Written::None, "{error}");
    }
    let back = "ALTER TABLE ees.away RENAME TO changesets";
    database.sql(back).unwrap();
    assert!(matches!(
        storage.commit(&commit("s", 1)).await,
        Ok(Outcome::Committed(_))
    ));
}
