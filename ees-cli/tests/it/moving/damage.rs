//! Whatever is changed behind the back of a store is found: SQLite's rows and pages.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::{change, commit, fails, ok};
use crate::evidence::{make_key, serve_signed, wait_until_sealed};
use crate::process::{Ees, run, sqlite};

/// A sealed store of 400 changesets in a file of its own.
fn sealed(folder: &Path) -> String {
    let storage = sqlite(&folder.join("a.db"));
    let mut server = Ees::serve(&storage);
    commit(&server, 300);
    wait_until_sealed(&server, 400);
    server.kill();
    // Everything is in the file, and nothing in a log beside it.
    change(&folder.join("a.db"), "PRAGMA wal_checkpoint(TRUNCATE)");
    storage
}

/// Each kind of damage in a row: what is told, the exit code, and where.
#[test]
fn every_changed_row_is_found() {
    let folder = TempDir::new().expect("a folder");
    let storage = sealed(folder.path());
    let file = folder.path().join("a.db");
    let sound = fs::read(&file).expect("the file");
    ok(&["verify", "--storage", &storage]);
    for (sql, code, told) in [
        (
            "UPDATE changesets SET events = replace(events, '1.10', '1.11') WHERE checkpoint = 300",
            1,
            "checkpoint 300",
        ),
        (
            "UPDATE changesets SET metadata = '{}' WHERE checkpoint = 7",
            1,
            "checkpoint",
        ),
        (
            "UPDATE changesets SET commit_id = 'x' WHERE checkpoint = 399",
            1,
            "checkpoint 399",
        ),
        (
            "UPDATE changesets SET timestamp = timestamp + 1 WHERE checkpoint = 0",
            1,
            "checkpoint 0",
        ),
        (
            "UPDATE changesets SET stream_id = 'other' WHERE checkpoint = 20",
            1,
            "checkpoint 20",
        ),
        (
            "UPDATE changesets SET changeset_id = 9 WHERE checkpoint = 21",
            1,
            "checkpoint 21",
        ),
        (
            "UPDATE changesets SET last_event_id = last_event_id + 1 WHERE checkpoint = 22",
            1,
            "checkpoint 22",
        ),
        (
            "UPDATE changesets SET checkpoint = -5 WHERE checkpoint = 100; UPDATE changesets SET checkpoint = 100 WHERE checkpoint = 101; UPDATE changesets SET checkpoint = 101 WHERE checkpoint = -5",
            1,
            "checkpoint 100",
        ),
        (
            "DELETE FROM changesets WHERE checkpoint = 200",
            2,
            "checkpoint 200",
        ),
        (
            "DELETE FROM changesets WHERE checkpoint >= 390",
            2,
            "end at checkpoint 390",
        ),
        (
            "UPDATE statistics SET total_events = total_events + 1",
            1,
            "statistics",
        ),
        ("DELETE FROM log_tiles", 2, "tile 0 of level 0"),
    ] {
        fs::write(&file, &sound).expect("the file");
        change(&file, sql);
        let errors = fails(&["verify", "--storage", &storage], code);
        assert!(errors.contains(told), "{sql}: {errors}");
        remove_log(&file);
    }
}

fn remove_log(file: &Path) {
    for ending in ["-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{ending}", file.display()));
    }
}

/// Bytes of the file: of payloads, of the log, of pages, and its end.
#[test]
fn changed_bytes_of_the_file_are_found() {
    let folder = TempDir::new().expect("a folder");
    let storage = sealed(folder.path());
    let file = folder.path().join("a.db");
    let sound = fs::read(&file).expect("the file");
    let text = b"pretty";
    let places: Vec<_> = (0..sound.len() - text.len())
        .filter(|place| sound[*place..].starts_with(text))
        .collect();
    assert!(places.len() >= 300);
    let sound_says = ok(&["verify", "--storage", &storage]);
    let mut found = 0;
    for place in places.iter().step_by(29) {
        let mut changed = sound.clone();
        changed[*place] ^= 1;
        fs::write(&file, changed).expect("the file");
        let (code, said, errors) = run(&["verify", "--storage", &storage]);
        if code == Some(0) {
            // A page has bytes that belong to no row any more: then all is as it was.
            assert_eq!(said, sound_says);
        } else {
            assert_eq!(code, Some(1), "{errors}");
            assert!(errors.contains("altered: checkpoint"), "{errors}");
            found += 1;
        }
        remove_log(&file);
    }
    assert!(found > 0, "some of these bytes are read");
    // A page that is overwritten, and a file that ends early.
    for page in [places[0] / 4096, places[200] / 4096] {
        let mut changed = sound.clone();
        changed[page * 4096..(page + 1) * 4096].fill(0x5a);
        fs::write(&file, changed).expect("the file");
        let (code, said, errors) = run(&["verify", "--storage", &storage]);
        assert!(matches!(code, Some(1..=3)), "page {page}: {said}{errors}");
        remove_log(&file);
    }
    for part in [2, 3] {
        fs::write(&file, &sound[..sound.len() / part / 4096 * 4096]).expect("the file");
        let (code, said, errors) = run(&["verify", "--storage", &storage]);
        assert!(matches!(code, Some(1..=3)), "{said}{errors}");
        remove_log(&file);
    }
}

/// Heads that were kept, signed and not, and what could not be verified.
#[test]
fn heads_are_kept_and_compared() {
    let folder = TempDir::new().expect("a folder");
    let key = folder.path().join("log.key");
    make_key(&key);
    let file = folder.path().join("a.db");
    let storage = sqlite(&file);
    let mut server = serve_signed(&storage, &key);
    commit(&server, 9);
    wait_until_sealed(&server, 12);
    let key = key.display().to_string();
    let public = ok(&[
        "log",
        "vkey",
        "--log-key",
        &key,
        "--url",
        &format!("http://{}", server.address()),
    ]);
    let public = public.trim();
    let [plain, signed] = ["plain", "signed"].map(|name| folder.path().join(name));
    let [plain, signed] = [&plain, &signed].map(|path| path.display().to_string());
    let verify = ["verify", "--storage", &storage];
    let with = |more: &[&str]| -> Vec<String> {
        verify
            .iter()
            .chain(more)
            .map(|arg| (*arg).to_owned())
            .collect()
    };
    let args = |all: &[String]| -> Vec<String> { all.to_vec() };
    let ok_with = |more: &[&str]| {
        let all = args(&with(more));
        ok(&all.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let fails_with = |more: &[&str], code| {
        let all = args(&with(more));
        fails(&all.iter().map(String::as_str).collect::<Vec<_>>(), code)
    };
    ok_with(&["--log-public-key", public, "--save", &signed]);
    assert!(
        fs::read_to_string(&signed)
            .expect("a head")
            .starts_with("example.com/shop/")
    );
    fs::write(&plain, "ees/x\n5\nAAAA\n").expect("a file");
    let errors = fails_with(&["--since", &plain], 3);
    assert!(errors.contains("not verified"), "{errors}");
    let root = "A".repeat(43);
    fs::write(&plain, format!("ees/x\n5\n{root}=\n")).expect("a file");
    let errors = fails_with(&["--since", &plain], 1);
    assert!(errors.contains("the head that was kept"), "{errors}");
    fs::write(&plain, format!("ees/x\n13\n{root}=\n")).expect("a file");
    let errors = fails_with(&["--since", &plain], 2);
    assert!(errors.contains("the store ends at 12"), "{errors}");
    server.ok("POST", "/streams/later", r#"{"events":[1]}"#);
    ok_with(&[
        "--log-public-key",
        public,
        "--since",
        &signed,
        "--save",
        &signed,
    ]);
    let json = ok_with(&["--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(
        (&json["size"], &json["findings_count"]),
        (&13.into(), &0.into())
    );
    fails_with(&["--log-public-key", "x"], 3);
    fails_with(&["--since", "/no/such/file"], 3);
    fails_with(&["--no-such-flag"], 3);
    fails(&["verify", "--storage", "memory:"], 3);
    fails(
        &["verify", "--storage", &sqlite(&folder.path().join("no.db"))],
        3,
    );
    server.kill();
    // Below a kept head everything is changed together, with the log and the checksum, which the next start
    // gives as if it upgraded the row: only the head tells it.
    change(
        &file,
        "UPDATE changesets SET commit_id = 'x', checksum = NULL WHERE checkpoint = 3;
         UPDATE state SET upgraded_to = 3, dated_from = 4; DELETE FROM log_tiles; DELETE FROM log_head",
    );
    Ees::serve(&storage).kill();
    let errors = fails_with(&["--since", &signed], 1);
    assert!(errors.contains("the head that was kept"), "{errors}");
    ok(&verify);
    let errors = fails_with(&["--log-public-key", public], 2);
    assert!(errors.contains("nobody has signed"), "{errors}");
}
