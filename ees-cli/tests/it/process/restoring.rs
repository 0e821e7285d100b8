//! `ees restore`, and copies that are put in place of a store by hand.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

use super::{Ees, run, sqlite};
use crate::http;

fn restore(copy: &Path, storage: &str) -> (Option<i32>, String, String) {
    let copy = copy.display().to_string();
    run(&["restore", &copy, "--storage", storage])
}

/// A folder with a store of three changesets, whose server was killed, and a copy with two of them.
fn store_and_copy() -> (TempDir, PathBuf, PathBuf) {
    let folder = TempDir::new().expect("a folder");
    let (file, copy) = (folder.path().join("ees.db"), folder.path().join("copy.db"));
    let mut server = Ees::serve(&sqlite(&file));
    for last in 0..3 {
        if last == 2 {
            let target = copy.display().to_string();
            let (code, _, stderr) = run(&["backup", &target, "--storage", &sqlite(&file)]);
            assert_eq!(code, Some(0), "{stderr}");
        }
        let path = format!("/streams/s?expected_last_changeset={last}");
        server.ok("POST", &path, r#"{"events":[1]}"#);
    }
    server.kill();
    (folder, file, copy)
}

/// The id of the store, as the start-up line tells it.
fn store_id(server: &Ees) -> String {
    let (_, id) = server.line.split_once("store ").expect("an id");
    id.split(')').next().unwrap_or_default().to_owned()
}

fn head(server: &Ees) -> u64 {
    let page = server.ok("GET", "/changesets?checkpoint=head", "");
    page["checkpoint"].as_u64().expect("a checkpoint")
}

/// The files in a folder, by their names, without locks.
fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| !name.ends_with("lock")).collect();
    names.sort();
    names
}

/// G6: readers of the replaced store learn that they are ahead.
#[test]
fn a_copy_takes_the_place_of_a_store() {
    let (folder, file, copy) = store_and_copy();
    let mut server = Ees::serve(&sqlite(&file));
    let before = store_id(&server);
    server.kill();
    let (code, said, stderr) = restore(&copy, &sqlite(&file));
    assert_eq!(code, Some(0), "{stderr}");
    assert!(said.contains("2 changesets"), "{said}");
    assert!(said.contains("beyond checkpoint 2 go back to 2"), "{said}");
    assert!(said.contains("with 3 changesets"), "{said}");

    let server = Ees::serve(&sqlite(&file));
    assert!(
        server.line.contains("(2 changesets, store "),
        "{}",
        server.line
    );
    assert_ne!(store_id(&server), before, "another store");
    assert!(said.contains(&store_id(&server)), "{said}");
    server.ok("POST", "/streams/new", r#"{"events":[1]}"#);
    let path = format!("/changesets?checkpoint=3&store={before}");
    let answer = http::request(&server.address(), "GET", &path, "").expect("an answer");
    assert_eq!(answer.status, 409, "{}", answer.body);
    let body: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(body["error"], "OTHER_STORE", "{body}");
    assert_eq!(
        (&body["same_below"], &body["head"]),
        (&2.into(), &3.into()),
        "{body}"
    );

    let names = files(folder.path());
    let kept = names
        .iter()
        .find(|name| name.contains(".replaced-"))
        .expect("the old file");
    let kept = Ees::serve(&sqlite(&folder.path().join(kept)));
    assert_eq!(
        (head(&kept), store_id(&kept)),
        (3, before),
        "G4: nothing is thrown away"
    );
}

#[test]
fn a_copy_may_make_a_store() {
    let (folder, _, copy) = store_and_copy();
    let new = sqlite(&folder.path().join("new.db"));
    let (code, said, stderr) = restore(&copy, &new);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(!said.contains("the replaced store"), "{said}");
    assert_eq!(head(&Ees::serve(&new)), 2);
}

#[test]
fn a_store_that_is_served_is_not_replaced() {
    let (folder, file, copy) = store_and_copy();
    let server = Ees::serve(&sqlite(&file));
    let before = files(folder.path());
    let (code, said, stderr) = restore(&copy, &sqlite(&file));
    assert_eq!((code, said.as_str()), (Some(3), ""), "{stderr}");
    assert!(stderr.contains("in use by another process"), "{stderr}");
    assert_eq!(files(folder.path()), before, "nothing is made");
    assert_eq!(head(&server), 3);
}

/// A copy with a page that was overwritten, so that SQLite's check finds it.
fn damaged(copy: &Path) -> PathBuf {
    let path = copy.with_file_name("damaged.db");
    let mut bytes = fs::read(copy).expect("the copy");
    let page = 4096;
    for byte in bytes.iter_mut().skip(page).take(page) {
        *byte ^= 0x5a;
    }
    fs::write(&path, bytes).expect("a file");
    path
}

fn newer(copy: &Path) -> PathBuf {
    let path = copy.with_file_name("newer.db");
    fs::copy(copy, &path).expect("a copy");
    let connection = Connection::open(&path).expect("a database");
    let insert = "INSERT INTO _sqlx_migrations VALUES (999, 'x', '', TRUE, x'00', 0)";
    connection.execute_batch(insert).expect("a row");
    path
}

/// G12: what is no sound copy is refused, and the store stays as it is.
#[test]
fn what_cannot_be_restored_changes_nothing() {
    let (folder, file, copy) = store_and_copy();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("notes.txt"), "no database ".repeat(500)).expect("a file");
    fs::copy(&copy, path("logged.db")).expect("a copy");
    fs::copy(path("ees.db-wal"), path("logged.db-wal")).expect("a log");
    let (damaged, newer) = (damaged(&copy), newer(&copy));
    let storage = sqlite(&file);
    let before = (files(folder.path()), fs::read(&file).expect("the store"));
    for (copy, storage, expected, said) in [
        (
            path("missing.db"),
            storage.as_str(),
            Some(3),
            "does not exist",
        ),
        (
            path("notes.txt"),
            &storage,
            Some(3),
            "not a SQLite database",
        ),
        (
            path("logged.db"),
            &storage,
            Some(1),
            "has a write-ahead log",
        ),
        (damaged, &storage, Some(1), "is damaged"),
        (newer, &storage, Some(3), "schema version 999"),
        (copy.clone(), "memory:", Some(2), "cannot be restored"),
        (
            copy.clone(),
            "postgres://localhost/x",
            Some(2),
            "new-store-id",
        ),
        (copy.clone(), "dynamodb://x", Some(2), "point in time"),
        (copy.clone(), &sqlite(&copy), Some(1), "the store itself"),
    ] {
        let (code, stdout, stderr) = restore(&copy, storage);
        assert_eq!((code, stdout.as_str()), (expected, ""), "{said}: {stderr}");
        assert!(stderr.contains(said), "{said}: {stderr}");
    }
    let after = (files(folder.path()), fs::read(&file).expect("the store"));
    assert_eq!(before.0, after.0, "no file is made or moved");
    assert!(before.1 == after.1, "the store is as it was");
}

/// A copy beside the log of the store that was there before would be damaged by it. Without the log it
/// is opened as another store.
#[test]
fn a_log_that_was_left_beside_a_copy_is_refused() {
    let (folder, file, copy) = store_and_copy();
    let storage = sqlite(&file);
    let mut server = Ees::serve(&storage);
    let before = store_id(&server);
    server.kill();
    fs::copy(&copy, &file).expect("a copy in place of the store");
    let (code, _, stderr) = run(&["--storage", &storage, "--listen", "127.0.0.1:0"]);
    assert_eq!(code, Some(3), "{stderr}");
    assert!(
        stderr.contains("ees.db-wal") && stderr.contains("ees restore"),
        "{stderr}"
    );
    assert_eq!(
        fs::read(&file).expect("the file"),
        fs::read(&copy).expect("the copy")
    );
    for suffix in ["-wal", "-shm"] {
        let name = |prefix: &str| folder.path().join(format!("{prefix}ees.db{suffix}"));
        fs::rename(name(""), name("old-")).expect("a log that is moved away");
    }
    let server = Ees::serve(&storage);
    assert_eq!(head(&server), 2);
    assert_ne!(store_id(&server), before, "G6: another store");
}

/// A process that was killed while it replaced the file leaves two names of the old one: the store is
/// not opened until the restore is repeated.
#[test]
fn an_interrupted_restore_is_repeated() {
    let (folder, file, copy) = store_and_copy();
    fs::hard_link(&file, folder.path().join("ees.db.replaced-1")).expect("a link");
    let (code, _, stderr) = run(&["--storage", &sqlite(&file), "--listen", "127.0.0.1:0"]);
    assert_eq!(code, Some(3), "{stderr}");
    assert!(stderr.contains("interrupted `ees restore`"), "{stderr}");
    let (code, _, stderr) = restore(&copy, &sqlite(&file));
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(head(&Ees::serve(&sqlite(&file))), 2);
}
