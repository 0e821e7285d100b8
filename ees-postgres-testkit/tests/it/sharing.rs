//! The server that tests share.

use ees_postgres_testkit::Database;

use crate::leftovers::Kit;

#[test]
fn databases_are_fresh_and_apart() {
    let (one, other) = (Database::fresh().unwrap(), Database::fresh().unwrap());
    one.sql("CREATE TABLE t (a int); INSERT INTO t VALUES (7)")
        .unwrap();
    assert_eq!(one.sql("SELECT a FROM t").unwrap(), "7");
    assert!(other.sql("SELECT a FROM t").is_err());
    let name = one.name().to_owned();
    let stands = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    assert_eq!(other.sql(&stands).unwrap(), "1");
    drop(one);
    assert_eq!(other.sql(&stands).unwrap(), "0", "dropped with its handle");
}

#[test]
fn processes_share_one_server() {
    let here = Database::fresh().unwrap();
    let kits = [Kit::start(&["--shared"]), Kit::start(&["--shared"])];
    let server = |url: &str| url.rsplit_once('/').unwrap().0.to_owned();
    for kit in &kits {
        assert_eq!(server(&kit.url), server(&here.url()));
        assert_ne!(kit.url, here.url(), "a database each");
    }
    assert_ne!(kits[0].url, kits[1].url, "a database each");
}

#[test]
fn nobody_connects_without_the_password() {
    let database = Database::fresh().unwrap();
    let mut psql = database.command("psql");
    psql.env("PGPASSWORD", "guessed").args(["-c", "SELECT 1"]);
    let output = psql.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("password authentication failed"), "{said}");
}
