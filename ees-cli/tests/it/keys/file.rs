//! `ees keys`: the file.

use std::fs;

use tempfile::TempDir;

use super::{add, keys, revoke};
use crate::process::run;

#[test]
fn the_file_holds_hashes_and_keeps_its_comments() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path();
    let secret = add(
        path,
        "one",
        &["--right", "read,append", "--expires", "2999-01-31"],
    );
    assert!(secret.starts_with("ees_"), "{secret}");
    let file = keys(path);
    let text = fs::read_to_string(&file).expect("a file");
    assert!(!text.contains(&secret), "only the hash is kept");
    fs::write(&file, text.replace("[[key]]", "# of the orders\n[[key]]")).expect("a file");
    add(
        path,
        "two",
        &["--right", "consume", "--stream-prefix", "o-"],
    );
    let list = ["keys", "list", "--file", &file.display().to_string()];
    let listed = "one: read, append; expires on 2999-01-31T00:00:00Z\n\
                  two: consume; streams with the prefix o-\n";
    assert_eq!(run(&list), (Some(0), listed.to_owned(), String::new()));
    revoke(path, "two");
    let text = fs::read_to_string(&file).expect("a file");
    assert!(text.contains("# of the orders"), "{text}");
    let (_, listed, _) = run(&list);
    assert_eq!(listed.lines().count(), 1, "{listed}");
    revoke(path, "one");
    assert_eq!(run(&list), (Some(0), String::new(), String::new()));
}

#[cfg(unix)]
#[test]
fn only_the_owner_reads_a_new_file_and_rights_stay() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().expect("a folder");
    let mode = || {
        let file = fs::metadata(keys(folder.path())).expect("a file");
        file.permissions().mode() & 0o777
    };
    add(folder.path(), "one", &["--right", "read"]);
    assert_eq!(mode(), 0o600);
    fs::set_permissions(keys(folder.path()), fs::Permissions::from_mode(0o640)).expect("rights");
    add(folder.path(), "two", &["--right", "read"]);
    assert_eq!(mode(), 0o640);
}

#[test]
fn what_cannot_be_done_changes_nothing() {
    let folder = TempDir::new().expect("a folder");
    add(folder.path(), "one", &["--right", "read"]);
    let file = keys(folder.path());
    let text = fs::read_to_string(&file).expect("a file");
    let name = file.display().to_string();
    let add = [
        "keys", "add", "--file", &name, "--name", "one", "--right", "read",
    ];
    for (args, code, told) in [
        (&add[..], 2, "there is a key `one` already"),
        (
            &["keys", "revoke", "--file", &name, "--name", "two"],
            2,
            "no key `two`",
        ),
    ] {
        let (ended, stdout, errors) = run(args);
        assert_eq!((ended, stdout.as_str()), (Some(code), ""), "{errors}");
        assert!(errors.contains(told), "{errors}");
    }
    let other = format!("{name}.new");
    fs::write(&other, "").expect("a file");
    let (ended, _, errors) = run(&["keys", "revoke", "--file", &name, "--name", "one"]);
    assert_eq!(ended, Some(1));
    assert!(errors.contains("another `ees keys`"), "{errors}");
    assert!(
        fs::exists(&other).expect("a look"),
        "it belongs to the other"
    );
    assert_eq!(fs::read_to_string(&file).expect("a file"), text);
}
