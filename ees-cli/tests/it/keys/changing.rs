//! Keys that change while the server runs.

use std::fs;
use std::io::Read;
use std::time::Duration;

use tempfile::TempDir;

use super::{Guarded, add, keys, revoke};
use crate::http::{receive, send};

#[test]
fn a_revoked_key_ends_its_waiting_calls() {
    let folder = TempDir::new().expect("a folder");
    let key = add(folder.path(), "reader", &["--right", "read"]);
    let other = add(folder.path(), "other", &["--right", "read"]);
    let guarded = Guarded::serve(folder);
    let path = |wait| format!("/changesets?checkpoint=head&wait={wait}");
    let poll = |key: &str, wait| {
        let header = format!("Authorization: Bearer {key}\r\n");
        let sent = send(&guarded.ees.address(), "GET", &path(wait), &header, "");
        let sent = sent.expect("a request");
        sent.set_read_timeout(Some(crate::process::LONG))
            .expect("a timeout");
        sent
    };
    let (revoked, kept) = (poll(&key, 20), poll(&other, 4));
    // Both wait: without news the next call is answered before they are.
    assert_eq!(guarded.call("GET", "/streams", Some(&key), "").status, 200);
    guarded.ees.wait_for_log("key=\"reader\"");
    revoke(guarded.folder.path(), "reader");
    let answer = receive(revoked).expect("an answer");
    // A poll that was not ended would answer 200 after its wait.
    assert_eq!(answer.status, 401, "G18: {}", answer.body);
    assert!(answer.body.contains("was revoked"), "{}", answer.body);
    guarded.until(401, "/streams", &key);
    assert_eq!(
        receive(kept).expect("an answer").status,
        200,
        "another key waits on"
    );
}

#[test]
fn a_revoked_key_ends_its_event_streams() {
    let folder = TempDir::new().expect("a folder");
    let key = add(folder.path(), "reader", &["--right", "read"]);
    let guarded = Guarded::serve(folder);
    let header = format!("Authorization: Bearer {key}\r\nAccept: text/event-stream\r\n");
    let path = "/changesets?checkpoint=head";
    let stream = send(&guarded.ees.address(), "GET", path, &header, "");
    let mut stream = stream.expect("a request");
    stream
        .set_read_timeout(Some(crate::process::LONG))
        .expect("a timeout");
    let mut beginning = [0; 12];
    stream.read_exact(&mut beginning).expect("an answer");
    assert_eq!(&beginning, b"HTTP/1.1 200");
    revoke(guarded.folder.path(), "reader");
    // A stream that was not ended would send comments for ever.
    let mut rest = String::new();
    stream.read_to_string(&mut rest).expect("an end");
    assert!(
        rest.ends_with("0\r\n\r\n") && !rest.contains("\n:\n"),
        "G18: {rest}"
    );
}

#[test]
fn an_expiring_key_ends_too() {
    let folder = TempDir::new().expect("a folder");
    let key = add(folder.path(), "reader", &["--right", "read"]);
    let guarded = Guarded::serve(folder);
    assert_eq!(guarded.call("GET", "/streams", Some(&key), "").status, 200);
    let file = keys(guarded.folder.path());
    let text = fs::read_to_string(&file).expect("a file");
    fs::write(&file, format!("{text}expires = 2020-01-01T00:00:00Z\n")).expect("a file");
    let answer = guarded.until(401, "/streams", &key);
    assert!(answer.body.contains("has expired"), "{}", answer.body);
}

#[test]
fn a_broken_file_keeps_the_old_keys_and_is_told() {
    let folder = TempDir::new().expect("a folder");
    let key = add(folder.path(), "reader", &["--right", "read"]);
    let guarded = Guarded::serve(folder);
    let file = keys(guarded.folder.path());
    let sound = fs::read_to_string(&file).expect("a file");
    for (broken, told) in [
        (
            sound.replace("\"read\"", "\"write\""),
            "`write` is not a right",
        ),
        (String::new(), "the file is empty"),
    ] {
        fs::write(&file, broken).expect("a file");
        guarded.ees.wait_for_log(told);
        assert_eq!(guarded.call("GET", "/streams", Some(&key), "").status, 200);
    }
    fs::remove_file(&file).expect("a file to remove");
    guarded.ees.wait_for_log("No such file");
    assert_eq!(guarded.call("GET", "/streams", Some(&key), "").status, 200);
    fs::write(&file, sound).expect("a file");
    let new = add(guarded.folder.path(), "new", &["--right", "read"]);
    guarded.until(200, "/streams", &new);
    assert_eq!(guarded.call("GET", "/streams", Some(&key), "").status, 200);
}

/// Failures cost neither memory nor lines, and no secret is shown anywhere.
#[test]
fn a_flood_of_wrong_keys_is_counted_and_shows_no_secret() {
    let folder = TempDir::new().expect("a folder");
    let reader = add(folder.path(), "reader", &["--right", "read"]);
    let gone = add(
        folder.path(),
        "gone",
        &["--right", "read", "--expires", "2020-01-01"],
    );
    let guarded = Guarded::serve(folder);
    let request = format!(
        "GET /streams?secret={gone} HTTP/1.1\r\nHost: ees\r\nAuthorization: Bearer {gone}\r\n\r\n"
    );
    flood(&guarded, &request.repeat(1000), 100);
    for key in [&gone, "ees_TELLTALE", &format!("{reader}TELLTALE")] {
        let answer = guarded.call("GET", "/streams", Some(key), "");
        assert_eq!(answer.status, 401);
        assert!(!answer.body.contains("TELLTALE") && !answer.body.contains(key));
    }
    let forbidden = guarded.call("POST", "/streams/s", Some(&reader), r#"{"events":[1]}"#);
    assert!(!forbidden.body.contains(&reader), "{}", forbidden.body);
    assert_eq!(
        guarded.call("GET", "/streams", Some(&reader), "").status,
        200
    );
    guarded.ees.signal("TERM");
    let (_, stdout, log) = guarded.ees.wait();
    for secret in [&reader, &gone, "TELLTALE"] {
        assert!(!stdout.contains(secret) && !log.contains(secret), "{log}");
    }
    let lines = log
        .lines()
        .filter(|line| line.contains("requests without authority"));
    let lines: Vec<_> = lines.collect();
    assert!(lines[0].contains("key=\"gone\""), "{}", lines[0]);
    assert!(
        lines.len() < 1000,
        "{} lines for 100,000 failures",
        lines.len()
    );
}

/// Sends requests on one connection, again and again, and reads until each is answered.
fn flood(guarded: &Guarded, requests: &str, times: usize) {
    use std::io::{Read, Write};
    let connected = std::net::TcpStream::connect(guarded.ees.address());
    let mut stream = connected.expect("a connection");
    let mut reading = stream.try_clone().expect("a clone");
    let expected = requests.matches("\r\n\r\n").count() * times;
    let reader = std::thread::spawn(move || {
        let (mut found, mut rest, mut buffer) = (0, Vec::new(), vec![0; 65_536]);
        reading
            .set_read_timeout(Some(Duration::from_mins(5)))
            .expect("a timeout");
        while found < expected {
            let read = reading.read(&mut buffer).expect("an answer");
            assert!(read > 0, "{found} answers");
            rest.extend_from_slice(&buffer[..read]);
            let mark = b"HTTP/1.1 401";
            found += rest.windows(mark.len()).filter(|part| part == mark).count();
            let keep = rest.len().saturating_sub(mark.len() - 1);
            rest.drain(..keep);
        }
    });
    for _ in 0..times {
        stream.write_all(requests.as_bytes()).expect("requests");
    }
    reader.join().expect("all answers");
}
