//! Files of several processes beside one target.

use std::io::Write;

use tempfile::TempDir;

use super::*;

fn names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

/// G19: two backups to one name: one gets it, and is whole.
#[test]
fn two_at_once_do_no_harm() {
    let folder = TempDir::new().unwrap();
    let target = folder.path().join("t.db");
    let (mut one, mut other) = (Partial::of(&target).unwrap(), Partial::of(&target).unwrap());
    assert_ne!(one.path(), other.path());
    one.file.write_all(b"one").unwrap();
    other.file.write_all(b"other").unwrap();
    assert_eq!(one.complete().unwrap(), 3);
    let refused = other.complete().unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&target).unwrap(), b"one");
    assert_eq!(names(&folder), ["t.db"]);
}

/// What a killed process left is removed, and nothing that only looks like it.
#[cfg(unix)]
#[test]
fn only_what_is_abandoned_is_removed() {
    use std::os::unix::fs::PermissionsExt;

    let folder = TempDir::new().unwrap();
    let target = folder.path().join("t.db");
    let others = [
        "t.db.partial",
        "t.db.1-2.partial",
        "t.db.1-2-x.partial",
        "u.db.1-2-3.partial",
    ];
    for name in others.iter().chain(&["t.db.1-2-3.partial"]) {
        fs::write(folder.path().join(name), "somebody's").unwrap();
    }
    let partial = Partial::of(&target).unwrap();
    let mode = fs::metadata(partial.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "others do not read it");
    let second = Partial::of(&target).unwrap();
    assert!(partial.path().exists(), "it is in use");
    drop((partial, second));
    let mut expected = others;
    expected.sort_unstable();
    assert_eq!(names(&folder), expected);
}
