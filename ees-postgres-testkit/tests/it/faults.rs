//! What is done to a server of one's own.

use std::env::current_exe;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use ees_postgres_testkit::{Error, Server, Settings};

#[test]
fn what_was_committed_survives_a_stop_and_a_kill() {
    let server = Server::start().unwrap();
    let database = server.database().unwrap();
    let url = database.url();
    database.sql("CREATE TABLE t (a int)").unwrap();
    database.sql("INSERT INTO t VALUES (1)").unwrap();
    server.stop().unwrap();
    assert!(database.sql("SELECT 1").is_err(), "it is stopped");
    server.resume().unwrap();
    database.sql("INSERT INTO t VALUES (2)").unwrap();
    server.kill().unwrap();
    assert!(database.sql("SELECT 1").is_err(), "it is dead");
    server.resume().unwrap();
    assert_eq!(database.sql("SELECT a FROM t ORDER BY a").unwrap(), "1\n2");
    assert_eq!(database.url(), url, "at the same address");
    assert_eq!(database.sql("SHOW fsync").unwrap(), "on");
}

/// Also a statement that looks at nothing but its work.
#[test]
fn a_kill_ends_every_statement() {
    let server = Server::start().unwrap();
    let database = server.database().unwrap();
    let mut psql = database.command("psql");
    psql.args(["-c", "DO 'BEGIN LOOP END LOOP; END'"]);
    let mut psql = psql
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let find = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'DO %'";
    let mut pid = String::new();
    while pid.is_empty() {
        assert!(psql.try_wait().unwrap().is_none(), "it runs for ever");
        sleep(Duration::from_millis(20));
        pid = database.sql(find).unwrap();
    }
    let state = Path::new("/proc").join(pid).join("stat");
    assert!(state.exists());
    server.kill().unwrap();
    // One that nobody has cleaned up yet has ended too.
    let left = std::fs::read_to_string(state);
    assert!(
        left.as_ref().map_or(true, |left| left.contains(") Z ")),
        "{left:?}"
    );
    assert!(!psql.wait().unwrap().success());
}

#[test]
fn a_standby_takes_no_writes_until_it_is_promoted() {
    let server = Server::start().unwrap();
    let database = server.database().unwrap();
    database.sql("CREATE TABLE t (a int)").unwrap();
    server.stand_by().unwrap();
    let insert = || database.sql("INSERT INTO t VALUES (1)");
    assert_eq!(database.sql("SELECT count(*) FROM t").unwrap(), "0");
    assert!(insert().is_err(), "it is a standby");
    assert_eq!(database.sql("SELECT pg_promote()").unwrap(), "t");
    insert().unwrap();
}

#[test]
fn a_transaction_is_held_open() {
    let server = Server::start().unwrap();
    let database = server.database().unwrap();
    database.sql("CREATE TABLE t (a int)").unwrap();
    let insert = |a: i32| database.hold(&format!("INSERT INTO t VALUES ({a})"));
    let mut committed = insert(1).unwrap();
    let rolled_back = insert(2).unwrap();
    let killed = insert(3).unwrap();
    let count = || database.sql("SELECT coalesce(sum(a), 0) FROM t").unwrap();
    assert_eq!(count(), "0");
    let inside = committed.run("SELECT a FROM t; SELECT 'more'").unwrap();
    assert_eq!(inside, "1\nmore");
    committed.commit().unwrap();
    rolled_back.rollback().unwrap();
    drop(killed);
    assert_eq!(count(), "1");
    let wrong = database.hold("INSERT INTO nowhere VALUES (1)");
    let Err(Error::Failed { said, .. }) = wrong else {
        panic!("{wrong:?}");
    };
    assert!(said.contains("\"nowhere\" does not exist"), "{said}");
}

#[test]
fn connections_are_cut() {
    let server = Server::start().unwrap();
    let (database, other) = (server.database().unwrap(), server.database().unwrap());
    let mut held = database.hold("SELECT 1").unwrap();
    let mut spared = other.hold("SELECT 1").unwrap();
    assert_eq!(database.cut_connections().unwrap(), 1);
    assert!(held.run("SELECT 1").is_err());
    assert_eq!(spared.run("SELECT 1").unwrap(), "1");
}

#[test]
fn a_disk_fills_and_has_room_again() {
    let settings = Settings {
        disk: Some(150),
        ..Settings::default()
    };
    let server = Server::with(settings).unwrap();
    let database = server.database().unwrap();
    database.sql("CREATE TABLE t (a text)").unwrap();
    let grow =
        || database.sql("INSERT INTO t SELECT repeat('x', 1000) FROM generate_series(1, 100)");
    grow().unwrap();
    server.fill_disk().unwrap();
    let Err(Error::Failed { said, .. }) = grow() else {
        panic!("the disk is full");
    };
    assert!(said.contains("No space left on device"), "{said}");
    assert_eq!(database.sql("SELECT count(*) FROM t").unwrap(), "100");
    server.free_disk().unwrap();
    grow().unwrap();
    assert_eq!(database.sql("SELECT count(*) FROM t").unwrap(), "200");
}

/// The test above, as root without the right to mount, fails with what the machine lacks.
#[test]
fn a_machine_without_mounts_is_told_what_it_lacks() {
    let test = "faults::a_disk_fills_and_has_room_again";
    let id = Command::new("id").arg("-u").output().unwrap();
    let mut words = vec!["unshare", "--user", "--map-root-user"];
    if id.stdout == b"0\n" {
        words.clear();
    }
    words.extend(["setpriv", "--bounding-set=-sys_admin"]);
    let mut without = Command::new(words[0]);
    without.args(&words[1..]).arg(current_exe().unwrap());
    let output = without.args(["--exact", test]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("NoLimitedDisk"), "{output:?}");
    assert!(said.contains("unshare"), "{said}");
}

#[test]
fn a_disk_without_a_limit_is_not_filled() {
    let server = Server::start().unwrap();
    let error = server.fill_disk().unwrap_err().to_string();
    assert!(error.contains("Settings::disk"), "{error}");
}
