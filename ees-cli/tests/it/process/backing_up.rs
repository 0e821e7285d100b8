//! `ees backup`.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::{Ees, run, sqlite};
use crate::writers::{Writers, lengths, log};

fn folder() -> TempDir {
    TempDir::new().expect("a folder")
}

fn backup(storage: &str, target: &Path) -> (Option<i32>, String, String) {
    let target = target.display().to_string();
    run(&["backup", &target, "--storage", storage])
}

/// A store of one changeset that nobody serves.
fn small_store(folder: &Path) -> String {
    let storage = sqlite(&folder.join("ees.db"));
    let ees = Ees::serve(&storage);
    ees.ok("POST", "/streams/s", r#"{"events":["kept"]}"#);
    ees.signal("TERM");
    assert_eq!(ees.wait().0, Some(0));
    storage
}

/// No part of a copy is left behind.
fn assert_no_partial(folder: &Path) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let name = entry.expect("an entry").file_name();
        let name = name.to_string_lossy().into_owned();
        assert!(!name.contains("partial"), "{name} is left behind");
    }
}

#[test]
fn a_store_is_copied_while_it_is_written_to() {
    let folder = folder();
    let storage = sqlite(&folder.path().join("ees.db"));
    let target = folder.path().join("copy.db");
    let mut ees = Ees::serve(&storage);
    let writers = Writers::start(&ees.address());
    writers.wait_for_more(10);
    let before = writers.acknowledged();
    let (code, said, stderr) = backup(&storage, &target);
    assert_eq!(code, Some(0), "{stderr}");
    writers.wait_for_more(1);
    let whole = log(&ees);
    ees.kill();
    writers.join();

    let restored = folder.path().join("restored.db");
    fs::copy(&target, &restored).expect("a copy");
    let copied = log(&Ees::serve(&sqlite(&restored)));
    let size = fs::metadata(&target).expect("the copy").len();
    let expected = format!(
        "{}: {} changesets, {size} bytes, checked\n",
        target.display(),
        copied.len()
    );
    assert_eq!(said, expected, "what is in the copy");
    assert_eq!(
        copied,
        whole[..copied.len()],
        "G6: the same changesets in the same order"
    );
    let lengths = lengths(&copied);
    for (stream, acknowledged) in before.iter().enumerate() {
        let copied = lengths[&format!("writer-{stream}")];
        assert!(
            copied >= *acknowledged,
            "G4: all that was acknowledged before"
        );
    }
    assert_no_partial(folder.path());
}

#[test]
fn a_store_is_copied_while_nobody_serves_it() {
    let folder = folder();
    let storage = small_store(folder.path());
    let target = folder.path().join("copy.db");
    let (code, said, stderr) = backup(&storage, &target);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(said.contains(": 1 changesets, "), "{said}");
    let ees = Ees::serve(&sqlite(&target));
    assert_eq!(log(&ees)[0]["events"][0], "kept", "G11");
}

#[test]
fn a_file_that_exists_is_left_alone() {
    let folder = folder();
    let storage = small_store(folder.path());
    let target = folder.path().join("precious.txt");
    fs::write(&target, "precious").expect("a file");
    let (code, stdout, stderr) = backup(&storage, &target);
    assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
    assert!(stderr.contains("exists"), "says why: {stderr}");
    assert_eq!(fs::read(&target).expect("the file"), b"precious");
    let (code, ..) = backup(&storage, &folder.path().join("ees.db"));
    assert_eq!(code, Some(1), "a store is not its own backup");
    assert_no_partial(folder.path());
}

#[test]
fn what_cannot_be_copied_is_refused() {
    let folder = folder();
    let storage = small_store(folder.path());
    let notes = folder.path().join("notes.txt");
    fs::write(&notes, "no database ".repeat(500)).expect("a file");
    let missing = sqlite(&folder.path().join("missing.db"));
    let target = folder.path().join("copy.db");
    let nowhere = folder.path().join("missing/copy.db");
    for (storage, target, expected, said) in [
        (missing.as_str(), &target, Some(3), "does not exist"),
        (&sqlite(&notes), &target, Some(3), "not a SQLite database"),
        (&sqlite(folder.path()), &target, Some(3), "it is a folder"),
        ("memory:", &target, Some(2), "cannot be copied"),
        ("postgres://localhost/x", &target, Some(2), "pg_dump"),
        ("sqlite:", &target, Some(2), "names no file"),
        (&storage, &nowhere, Some(1), "its folder does not exist"),
    ] {
        let (code, stdout, stderr) = backup(storage, target);
        assert_eq!(
            (code, stdout.as_str()),
            (expected, ""),
            "{storage}: {stderr}"
        );
        assert!(!target.exists(), "{storage}: nothing is made");
        assert!(stderr.contains(said), "{storage}: {stderr}");
        assert_no_partial(folder.path());
    }
    assert!(
        !folder.path().join("missing.db").exists(),
        "no store is made"
    );
}
