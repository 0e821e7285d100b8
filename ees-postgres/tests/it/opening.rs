//! Which databases are opened, and what is said about the others.

use ees_core::adapter::{Outcome, Storage};
use ees_postgres::{OpenError, PostgresConfig, PostgresStorage};
use ees_postgres_testkit::{Database, Server, Settings};

use crate::support::{commit, config, open, try_open};

/// The error of a URL that must be refused.
async fn refused(url: &str) -> OpenError {
    let config: PostgresConfig = url.parse().unwrap();
    PostgresStorage::open(&config).await.unwrap_err()
}

#[tokio::test]
async fn what_cannot_be_reached_is_named() {
    let error = refused("postgres://ees@127.0.0.1:1/d").await;
    assert!(matches!(error, OpenError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("127.0.0.1:1/d"), "{error}");
    let database = Database::fresh().unwrap();
    let error = refused(&database.url_of("postgres", "guessed")).await;
    assert!(matches!(error, OpenError::Refused { .. }), "{error}");
    assert!(!error.to_string().contains("guessed"), "{error}");
    let error = refused(&format!("{}_missing", database.url())).await;
    let error = error.to_string();
    assert!(error.contains("_missing\" does not exist. "), "{error}");
}

/// G4: a kill cannot show a missing flush, so the setting is asked for, and the question can fail.
#[tokio::test]
async fn a_server_that_does_not_flush_is_refused() {
    let database = Database::fresh().unwrap();
    let error = refused(&database.url()).await.to_string();
    assert!(error.contains("it runs with fsync=off"), "{error}");
    assert!(error.contains("ALTER SYSTEM SET fsync = on"), "{error}");
    let made = database.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'ees'");
    assert_eq!(made.unwrap(), "0", "nothing was changed");

    let server = Server::with(Settings::default()).unwrap();
    let database = server.database().unwrap();
    let config: PostgresConfig = database.url().parse().unwrap();
    let storage = PostgresStorage::open(&config).await.unwrap();
    storage.close().await;
}

#[tokio::test]
async fn another_encoding_is_refused() {
    let database = Database::fresh().unwrap();
    let name = format!("{}_latin", database.name());
    let create = format!("CREATE DATABASE {name} ENCODING LATIN1 TEMPLATE template0");
    database.sql(&create).unwrap();
    let url = format!("{}_latin?allow_fsync_off=true", database.url());
    let error = refused(&url).await.to_string();
    assert!(error.contains("its encoding is LATIN1"), "{error}");
    database
        .sql(&format!("DROP DATABASE {name} WITH (FORCE)"))
        .unwrap();
}

#[tokio::test]
async fn a_schema_of_something_else_is_left_as_it_is() {
    let database = Database::fresh().unwrap();
    database
        .sql("CREATE SCHEMA ees; CREATE TABLE ees.changesets (a int)")
        .unwrap();
    let error = try_open(&database, "").await.unwrap_err();
    assert!(matches!(error, OpenError::NotOurs { .. }), "{error}");
    assert!(error.to_string().contains("?schema="), "{error}");
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'ees'";
    assert_eq!(database.sql(tables).unwrap(), "1");
    try_open(&database, "&schema=other").await.unwrap();
}

#[tokio::test]
async fn a_schema_of_a_newer_version_is_refused() {
    let database = Database::fresh().unwrap();
    open(&database).await.close().await;
    let later = "INSERT INTO ees._sqlx_migrations SELECT 99, 'later', installed_on, success,
                 checksum, execution_time FROM ees._sqlx_migrations LIMIT 1";
    database.sql(later).unwrap();
    let error = try_open(&database, "").await.unwrap_err();
    assert!(
        matches!(error, OpenError::Newer { found: 99, .. }),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_may_start_at_once() {
    let database = Database::fresh().unwrap();
    let starting = (0..8).map(|_| {
        let config = config(&database, "&readers=2");
        tokio::spawn(async move { PostgresStorage::open(&config).await.unwrap() })
    });
    for (last, started) in (0..).zip(starting.collect::<Vec<_>>()) {
        let storage = started.await.unwrap();
        let outcome = storage.commit(&commit("s", last)).await.unwrap();
        assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
    }
}

#[tokio::test]
async fn schemas_are_stores_of_their_own() {
    let database = Database::fresh().unwrap();
    let one = try_open(&database, "&schema=one").await.unwrap();
    let other = try_open(&database, "&schema=other").await.unwrap();
    one.commit(&commit("s", 0)).await.unwrap();
    assert_eq!(one.next_checkpoint().await.unwrap().get(), 1);
    assert_eq!(other.next_checkpoint().await.unwrap().get(), 0);
    // And have locks of their own.
    let lock = "SELECT pg_advisory_xact_lock(1162171185, 'one.changesets'::regclass::oid::int)";
    let held = database.hold(lock).unwrap();
    other.commit(&commit("s", 0)).await.unwrap();
    held.rollback().unwrap();
}

/// Everything the store does, by a role that owns its schema and may do nothing else.
#[tokio::test]
async fn a_role_that_owns_its_schema_is_enough() {
    let database = Database::fresh().unwrap();
    let role = format!("role_{}", database.name());
    database
        .sql(&format!(
            "CREATE ROLE {role} LOGIN PASSWORD 'p'; REVOKE ALL ON SCHEMA public FROM PUBLIC;
             REVOKE ALL ON DATABASE {0} FROM PUBLIC; GRANT CONNECT ON DATABASE {0} TO {role}",
            database.name()
        ))
        .unwrap();
    let url = format!("{}?allow_fsync_off=true", database.url_of(&role, "p"));
    let error = refused(&url).await;
    assert!(matches!(error, OpenError::NoRights { .. }), "{error}");
    let said = error.to_string();
    let advice = format!("CREATE SCHEMA ees AUTHORIZATION \"{role}\"");
    assert!(said.contains(&advice), "{said}");
    database.sql(&advice).unwrap();
    for last in 0..2 {
        let storage = PostgresStorage::open(&url.parse().unwrap()).await.unwrap();
        storage.commit(&commit("s", last)).await.unwrap();
        assert_eq!(storage.next_checkpoint().await.unwrap().get(), last + 1);
        storage.close().await;
    }
    database
        .sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"))
        .unwrap();
}

/// The rights that docs/postgres.md names for somebody who reads with SQL.
#[tokio::test]
async fn a_reader_needs_two_rights() {
    let database = Database::fresh().unwrap();
    open(&database).await.commit(&commit("s", 0)).await.unwrap();
    let role = format!("reader_{}", database.name());
    database
        .sql(&format!(
            "CREATE ROLE {role}; GRANT USAGE ON SCHEMA ees TO {role};
             GRANT SELECT ON ees.changesets TO {role}"
        ))
        .unwrap();
    let read = |what: &str| database.sql(&format!("SET ROLE {role}; {what}"));
    let kind = read("SELECT events -> 0 ->> 'type' FROM ees.changesets");
    assert_eq!(kind.unwrap(), "tested");
    assert!(read("DELETE FROM ees.changesets").is_err());
    assert!(read("INSERT INTO ees.changesets SELECT * FROM ees.changesets").is_err());
    database
        .sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"))
        .unwrap();
}
