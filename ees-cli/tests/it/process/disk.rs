//! A disk that is full, and files that may not be written.

use std::fs::{self, Permissions};
use std::iter;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use tempfile::TempDir;

use super::{Ees, ees, ended, sqlite};
use crate::http;

/// A server whose files cannot grow beyond so many KiB, until that is lifted. It looks like a disk
/// that has no more room, and needs no rights to set up.
fn serve_limited(storage: &str, kib: u32) -> Ees {
    let serve = format!("trap '' XFSZ; ulimit -S -f {kib}; exec \"$0\" \"$@\"");
    let mut command = Command::new("bash");
    let args = ["--storage", storage, "--listen", "127.0.0.1:0"];
    command
        .env_clear()
        .args(["-c", &serve, env!("CARGO_BIN_EXE_ees")])
        .args(args);
    Ees::spawn(command)
}

fn lift_limit(server: &Ees) {
    let pid = server.pid().to_string();
    let lifted = Command::new("prlimit")
        .args(["--pid", &pid, "--fsize=unlimited:"])
        .status();
    assert!(lifted.expect("prlimit runs").success());
}

/// Appends one changeset of about 4 KB.
fn append(server: &Ees, last: u64) -> http::Answer {
    let path = format!("/streams/s?expected_last_changeset={last}");
    let body = format!(r#"{{"events":["{}"]}}"#, "x".repeat(4000));
    http::request(&server.address(), "POST", &path, &body).expect("an answer")
}

/// G4, G12: what does not fit is refused in so many words, what was acknowledged stays, reads go
/// on, and so do commits as soon as there is room.
#[test]
fn a_full_disk_refuses_and_loses_nothing() {
    let folder = TempDir::new().expect("a folder");
    let storage = sqlite(&folder.path().join("ees.db"));
    let mut server = serve_limited(&storage, 512);
    let mut last = 0;
    let refused = loop {
        let answer = append(&server, last);
        if answer.status != 200 {
            break answer;
        }
        last += 1;
        assert!(last < 1000, "the disk is never full");
    };
    assert!(last > 3, "there is room at first");
    assert_eq!(refused.status, 503, "{}", refused.body);
    let body: serde_json::Value = serde_json::from_str(&refused.body).expect("JSON");
    assert_eq!(body["error"], "STORAGE_UNAVAILABLE", "{body}");
    assert!(body["idempotency_key"].is_string(), "{body}");
    for _ in 0..3 {
        assert_eq!(append(&server, last).status, 503, "as long as it is full");
    }
    assert_eq!(server.ok("GET", "/streams/s", "")["last_changeset"], last);
    // What readiness writes is smaller than a commit, and takes the last of the room.
    let ready = || {
        assert_eq!(append(&server, last).status, 503, "as long as it is full");
        http::request(&server.address(), "GET", "/health/ready", "").expect("an answer")
    };
    let mut answers = iter::repeat_with(ready).take(100);
    let ready = answers.find(|answer| answer.status != 200);
    let ready = ready.expect("readiness tells of the full disk");
    assert_eq!(ready.status, 503, "{}", ready.body);
    assert!(
        ready.body.contains("cannot be read or written"),
        "{}",
        ready.body
    );

    lift_limit(&server);
    server.ok("GET", "/health/ready", "");
    let answer = append(&server, last);
    assert_eq!(answer.status, 200, "there is room again: {}", answer.body);
    server.kill();
    let server = Ees::serve(&storage);
    let whole = server.ok("GET", "/streams/s/changesets", "");
    let ids = whole["changesets"].as_array().expect("changesets").iter();
    let ids: Vec<u64> = ids.filter_map(|c| c["changeset_id"].as_u64()).collect();
    assert_eq!(ids, (1..=last + 1).collect::<Vec<_>>(), "G3, G4");
}

/// A disk that is full already lets the server start and read. Commits are refused, a line a second
/// tells of them, and they succeed as soon as there is room.
#[test]
fn a_full_disk_lets_the_server_start_for_reading() {
    let folder = TempDir::new().expect("a folder");
    let storage = sqlite(&folder.path().join("ees.db"));
    let server = Ees::serve(&storage);
    for last in 0..5 {
        assert_eq!(append(&server, last).status, 200);
    }
    server.signal("TERM");
    assert_eq!(server.wait().0, Some(0));

    let server = serve_limited(&storage, 4);
    assert!(
        server.line.contains("(5 changesets, store "),
        "{}",
        server.line
    );
    assert_eq!(server.ok("GET", "/streams/s", "")["last_changeset"], 5);
    let page = server.ok("GET", "/changesets?limit=1000", "");
    assert_eq!(page["next_checkpoint"], 5, "{page}");
    let begun = Instant::now();
    for _ in 0..50 {
        let refused = append(&server, 5);
        assert_eq!(refused.status, 503, "{}", refused.body);
        let body: serde_json::Value = serde_json::from_str(&refused.body).expect("JSON");
        assert_eq!(body["outcome"], "none", "{body}");
    }
    let ready = http::request(&server.address(), "GET", "/health/ready", "").expect("an answer");
    assert_eq!(ready.status, 503, "{}", ready.body);
    let seconds = begun.elapsed().as_secs();

    lift_limit(&server);
    server.ok("GET", "/health/ready", "");
    assert_eq!(append(&server, 5).status, 200, "there is room again");
    assert_eq!(server.ok("GET", "/streams/s", "")["last_changeset"], 6);
    server.signal("TERM");
    let (_, _, log) = server.wait();
    let lines = log
        .lines()
        .filter(|line| line.contains("STORAGE_UNAVAILABLE"))
        .count();
    let lines = u64::try_from(lines).expect("a number");
    assert!(
        (1..=seconds + 2).contains(&lines),
        "{lines} lines in {seconds} s: {log}"
    );
}

/// The binary as someone who is not root: root may write to anything.
fn unprivileged(folder: &Path, args: &[&str]) -> Command {
    if fs::metadata(folder).expect("a folder").uid() != 0 {
        return ees(args);
    }
    let binary = folder.join("ees");
    // Another thread's child would keep a file open that is written here: it could not be run.
    let copied = Command::new("cp")
        .args([Path::new(env!("CARGO_BIN_EXE_ees")), &binary])
        .status();
    assert!(copied.expect("cp runs").success(), "a copy of the binary");
    let mut command = Command::new(binary);
    command.env_clear().args(args).uid(65534).gid(65534);
    command
}

#[test]
fn a_file_that_may_not_be_written_is_named() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("ees.db");
    let server = Ees::serve(&sqlite(&file));
    server.ok("POST", "/streams/s", r#"{"events":[1]}"#);
    server.signal("TERM");
    assert_eq!(server.wait().0, Some(0));
    let storage = sqlite(&file);
    let command = unprivileged(
        folder.path(),
        &["--storage", &storage, "--listen", "127.0.0.1:0"],
    );
    let lock = folder.path().join("ees.db.lock");
    for read_only in [&file, &lock] {
        fs::set_permissions(read_only, Permissions::from_mode(0o444)).expect("a mode");
    }
    fs::set_permissions(folder.path(), Permissions::from_mode(0o555)).expect("a mode");
    let before = fs::read(&file).expect("the file");
    let (code, _, stderr) = ended(command);
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("a mode");
    assert_eq!(code, Some(3), "{stderr}");
    assert!(stderr.contains("cannot be opened for writing"), "{stderr}");
    assert!(stderr.contains("ees.db"), "{stderr}");
    assert_eq!(
        fs::read(&file).expect("the file"),
        before,
        "it is left as it is"
    );
}
