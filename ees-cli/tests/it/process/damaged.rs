//! A file that is damaged, or lost, while it is served (G19).

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

use super::{Ees, LONG, ees, ended, sqlite};
use crate::http;
use crate::http::Answer;

fn get(server: &Ees, path: &str) -> Answer {
    http::request(&server.address(), "GET", path, "").expect("an answer")
}

fn append(server: &Ees, last: u64) -> Answer {
    let path = format!("/streams/s?expected_last_changeset={last}");
    http::request(&server.address(), "POST", &path, r#"{"events":[1]}"#).expect("an answer")
}

/// A served store of three changesets.
fn served(file: &Path) -> Ees {
    let server = Ees::serve(&sqlite(file));
    for last in 0..3 {
        assert_eq!(append(&server, last).status, 200);
    }
    server
}

fn body(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).expect("JSON")
}

/// Waits until the server is not ready, and says why.
fn not_ready(server: &Ees, why: &str) {
    let begun = std::time::Instant::now();
    loop {
        let answer = get(server, "/health/ready");
        if answer.status != 200 {
            assert_eq!(answer.status, 503, "{}", answer.body);
        }
        if answer.status != 200 && answer.body.contains(why) {
            return;
        }
        assert!(
            begun.elapsed() < LONG,
            "it does not say why: {}",
            answer.body
        );
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// A damaged row is told by the read of it. From then on nothing is committed, and the rest is read.
#[test]
fn damage_ends_the_commits() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("ees.db");
    let server = served(&file);
    let harm = "UPDATE changesets SET events = '[2]' WHERE checkpoint = 1";
    let connection = Connection::open(&file).expect("the file");
    connection.execute_batch(harm).expect("a damaged row");
    let read = get(&server, "/changesets?checkpoint=1");
    assert_eq!(read.status, 500, "{}", read.body);
    let refused = append(&server, 3);
    assert_eq!(refused.status, 500, "{}", refused.body);
    not_ready(&server, "checkpoint 1");
    server.wait_for_log("no more commits are accepted");
    let line = server.log_line("no more commits are accepted");
    assert!(
        line.contains("checkpoint 1, changeset 2 of stream `s`"),
        "{line}"
    );
    let page = body(&get(&server, "/changesets?checkpoint=2"));
    assert_eq!(page["changesets"][0]["changeset_id"], 3, "{page}");
}

/// Nobody reads the row: the check in the background finds it.
#[test]
fn damage_is_found_before_it_is_read() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("ees.db");
    let mut server = served(&file);
    server.kill();
    let harm = "UPDATE changesets SET metadata = '[2]' WHERE checkpoint = 0";
    let connection = Connection::open(&file).expect("the file");
    connection.execute_batch(harm).expect("a damaged row");
    drop(connection);
    let server = Ees::serve(&sqlite(&file));
    not_ready(&server, "checkpoint 0");
}

/// What is committed to a file that has no name any more would be lost. In place of a lost log, a
/// connection that is opened before the next look makes a new one.
#[test]
fn a_lost_file_ends_the_commits() {
    for ending in ["", "-wal"] {
        let folder = TempDir::new().expect("a folder");
        let file = folder.path().join("ees.db");
        let mut server = served(&file);
        let lost = folder.path().join(format!("ees.db{ending}"));
        let kept = folder.path().join("kept");
        fs::rename(&lost, &kept).expect("a name");
        not_ready(&server, "no more commits are accepted");
        let refused = append(&server, 3);
        assert_eq!(refused.status, 503, "{}", refused.body);
        assert_eq!(body(&refused)["outcome"], "none", "{}", refused.body);
        server.kill();
        if ending.is_empty() {
            // It is not begun anew, and the message says what to do.
            let serve = ees(&["--storage", &sqlite(&file), "--listen", "127.0.0.1:0"]);
            let (code, _, stderr) = ended(serve);
            assert_eq!(code, Some(3), "{stderr}");
            assert!(stderr.contains("had 3 changesets"), "{stderr}");
            assert!(stderr.contains("ees restore"), "{stderr}");
        }
        fs::rename(&kept, &lost).expect("a name");
        let server = Ees::serve(&sqlite(&file));
        assert_eq!(append(&server, 3).status, 200, "nothing was lost");
    }
}
