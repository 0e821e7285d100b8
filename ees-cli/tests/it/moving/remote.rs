//! `ees verify --url`: a running server, verified over HTTP.

use std::fs;
use std::sync::Arc;

use ees_cli::args::{AccessArgs, RemoteArgs};
use ees_cli::verify::Remote;
use ees_evidence::Verification;
use serde_json::Value;
use tempfile::TempDir;

use super::altering::Altering;
use super::{change, commit, fails, ok, store_of};
use crate::evidence::{make_key, serve_signed, wait_until_sealed};
use crate::keys::{add, keys};
use crate::process::{Ees, ees, sqlite};

/// A server of 400 sealed and signed changesets, and the key that verifies its log.
fn sealed(folder: &TempDir) -> (Ees, String, String) {
    let key = folder.path().join("log.key");
    make_key(&key);
    let server = serve_signed(&sqlite(&folder.path().join("a.db")), &key);
    commit(&server, 300);
    wait_until_sealed(&server, 400);
    let url = format!("http://{}", server.address());
    let key = key.display().to_string();
    let public = ok(&["log", "vkey", "--log-key", &key, "--url", &url]);
    (server, url, public.trim().to_owned())
}

#[test]
fn a_sound_server_passes() {
    let folder = TempDir::new().expect("a folder");
    let (server, url, public) = sealed(&folder);
    let head = folder.path().join("head").display().to_string();
    let verify = ["verify", "--url", &url, "--log-public-key", &public];
    let said = ok(&[&verify[..], &["--save", &head]].concat());
    assert!(
        said.starts_with(&format!(
            "{url}: as it should be: 400 changesets and 0 void"
        )),
        "{said}"
    );
    // Over HTTP it is what it is in the storage.
    let storage = sqlite(&folder.path().join("a.db"));
    let [here, there]: [Value; 2] = [["--storage", &storage], ["--url", &url]].map(|of| {
        let told = ok(&[&["verify", "--json"], &of[..]].concat());
        serde_json::from_str(&told).expect("JSON")
    });
    assert_eq!(here, there);
    commit_more(&server, 420);
    ok(&[&verify[..], &["--since", &head, "--save", &head]].concat());
    let saved = fs::read_to_string(&head).expect("a head");
    assert_eq!(saved.lines().nth(1), Some("420"), "{saved}");
}

/// Commits to one stream until the log has a size.
fn commit_more(server: &Ees, size: u64) {
    let end = crate::evidence::end_of_order(server);
    for number in 0..size - end {
        let path = format!("/streams/m%2Fore?expected_last_changeset={number}");
        server.ok("POST", &path, r#"{"events":[1, "x"]}"#);
    }
    wait_until_sealed(server, size);
}

/// Without a memory of the streams, their ends are asked for.
#[tokio::test(flavor = "multi_thread")]
async fn ends_of_streams_are_asked_for() {
    let folder = TempDir::new().expect("a folder");
    let (server, url, _) = sealed(&folder);
    commit_more(&server, 403);
    let access = AccessArgs {
        key: None,
        ca: None,
    };
    let remote = Remote::of(&RemoteArgs { url, access }).expect("a server");
    let verification = Verification::of(Arc::new(remote)).remembering(2);
    let verified = verification.run(|_, _| {}).await.expect("a result");
    assert_eq!((verified.findings, verified.size), (vec![], 403));
    assert!(verified.looked_up > 100, "{}", verified.looked_up);
}

/// What a server is damaged by: its storage tells another changeset than was sealed, or cannot read one.
#[test]
fn damage_behind_a_server_is_found() {
    let folder = TempDir::new().expect("a folder");
    let (mut server, url, _) = sealed(&folder);
    server.kill();
    drop(url);
    let file = folder.path().join("a.db");
    change(&file, "PRAGMA wal_checkpoint(TRUNCATE)");
    let sound = fs::read(&file).expect("the file");
    for (sql, code, told) in [
        (
            "UPDATE changesets SET events = replace(events, '1.10', '1.11') WHERE checkpoint = 300",
            1,
            "altered: checkpoint 300: the storage failed: 500 INTERNAL",
        ),
        (
            // The start gives the row a checksum, as if it upgraded the row.
            "UPDATE changesets SET events = replace(events, '1.10', '1.11'), checksum = NULL WHERE checkpoint = 300;
             UPDATE state SET upgraded_to = 300, dated_from = 301",
            1,
            "altered: checkpoint 300: it is not what the log was made of",
        ),
        (
            "UPDATE changesets SET last_event_id = 0 WHERE checkpoint = 22",
            1,
            "altered: checkpoint 22: the storage failed: 500 INTERNAL",
        ),
        (
            "DELETE FROM changesets WHERE checkpoint = 200",
            1,
            "altered: checkpoint 200: ",
        ),
        (
            "DELETE FROM changesets WHERE checkpoint >= 390;
             UPDATE state SET next_checkpoint = 390,
             last_checksum = (SELECT checksum FROM changesets WHERE checkpoint = 389)",
            2,
            "the store ends at 390",
        ),
        (
            "DELETE FROM log_tiles WHERE level = 0",
            1,
            "altered: tile 0 of level 0 of the log: the storage failed: 500",
        ),
        (
            "UPDATE log_head SET document = '{}'",
            1,
            "the head of the log",
        ),
    ] {
        // It remembers how far the commits came.
        let _ = fs::remove_file(folder.path().join("a.db.lock"));
        fs::write(&file, &sound).expect("the file");
        change(&file, sql);
        let storage = sqlite(&file);
        let args = [
            "--storage",
            &storage,
            "--listen",
            "127.0.0.1:0",
            "--seal",
            "off",
        ];
        let mut server = Ees::spawn(ees(&args));
        let url = format!("http://{}", server.address());
        let errors = fails(&["verify", "--url", &url], code);
        assert!(errors.contains(told), "{sql}: {errors}");
        server.kill();
        for ending in ["-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{ending}", file.display()));
        }
    }
}

/// What stands between the server and its client changes one answer.
#[test]
fn an_altered_answer_is_found() {
    let folder = TempDir::new().expect("a folder");
    let (server, url, _) = sealed(&folder);
    let head = folder.path().join("head").display().to_string();
    ok(&["verify", "--url", &url, "--save", &head]);
    commit_more(&server, 403);
    let address = server.address();
    for (path, from, to, code, told) in [
        (
            "/changesets?checkpoint=0",
            "1.10",
            "1.11",
            1,
            "altered: checkpoint 0: it is not what",
        ),
        (
            "/changesets?checkpoint=0",
            "\"events\":[",
            "\"events\":{",
            1,
            "altered: checkpoint 0: ",
        ),
        (
            "/log/head",
            "\"root\":\"",
            "\"root\":\"0/0/",
            1,
            "the head of the log",
        ),
        (
            "/log/consistency",
            "[\"",
            "[\"0/0/",
            1,
            "the proof that the log goes on from",
        ),
        (
            "/streams",
            "\"total_events\":",
            "\"total_events\":9",
            1,
            "the statistics are",
        ),
        (
            "/version",
            "ees-store: ",
            "ees-store: x",
            3,
            "does not tell the id of a store",
        ),
    ] {
        let altered = Altering::between(&address, path, move |answer| {
            let text = String::from_utf8_lossy(answer).into_owned();
            let changed = match to.strip_prefix(from) {
                // Text that is put in takes the place of what follows.
                Some(more) => {
                    let at = text.find(from).expect(from) + from.len();
                    let mut changed = text.clone();
                    changed.replace_range(at..at + more.len(), more);
                    changed
                }
                None => text.replacen(from, to, 1),
            };
            assert_ne!(changed, text, "{from}");
            changed.into_bytes()
        });
        let errors = fails(&["verify", "--url", &altered.url(), "--since", &head], code);
        assert!(errors.contains(told), "{path}: {errors}");
    }
    // A byte of a tile.
    let altered = Altering::between(&address, "/log/tile/0/000", |answer| {
        let mut changed = answer.to_vec();
        *changed.last_mut().expect("a byte") ^= 1;
        changed
    });
    let errors = fails(&["verify", "--url", &altered.url()], 1);
    assert!(errors.contains("altered: checkpoint 255"), "{errors}");
}

/// A log that is another one than the head that was kept, with all its answers in agreement.
#[test]
fn another_history_is_found_by_a_kept_head() {
    let folder = TempDir::new().expect("a folder");
    let (_first, url, _) = sealed(&folder);
    let head = folder.path().join("head").display().to_string();
    ok(&["verify", "--url", &url, "--save", &head]);
    let other = Ees::serve(&sqlite(&folder.path().join("b.db")));
    commit_more(&other, 410);
    let url = format!("http://{}", other.address());
    ok(&["verify", "--url", &url]);
    let errors = fails(&["verify", "--url", &url, "--since", &head], 1);
    assert!(
        errors.contains("do not have the root of the head that was kept"),
        "{errors}"
    );
    assert!(
        errors.contains("the proof that the log goes on from"),
        "{errors}"
    );
}

#[test]
fn a_server_without_a_log_is_verified_as_far_as_it_can_be() {
    let folder = TempDir::new().expect("a folder");
    let storage = store_of(folder.path(), "a.db", 9);
    change(
        &folder.path().join("a.db"),
        "DELETE FROM log_tiles; DELETE FROM log_head",
    );
    let args = [
        "--storage",
        &storage,
        "--listen",
        "127.0.0.1:0",
        "--seal",
        "off",
    ];
    let server = Ees::spawn(ees(&args));
    let url = format!("http://{}", server.address());
    let said = ok(&["verify", "--url", &url]);
    assert!(
        said.contains("12 changesets") && said.contains("sealed up to 0"),
        "{said}"
    );
    let key = folder.path().join("log.key");
    make_key(&key);
    let key = key.display().to_string();
    let public = ok(&["log", "vkey", "--log-key", &key, "--url", &url]);
    let args = ["verify", "--url", &url, "--log-public-key", public.trim()];
    let errors = fails(&args, 2);
    assert!(errors.contains("nobody has signed the log"), "{errors}");
}

/// What cannot be verified is told, and is no finding.
#[test]
fn a_server_that_stops_in_the_middle_is_not_verified() {
    let folder = TempDir::new().expect("a folder");
    let (server, _, _) = sealed(&folder);
    // It is asked for everything before the changesets, and then there is no server any more.
    let stopping = Altering::between(&server.address(), "/changesets?checkpoint=0", |_| {
        Vec::new()
    });
    let errors = fails(&["verify", "--url", &stopping.url()], 3);
    assert!(errors.contains("not verified: http://"), "{errors}");
    assert!(errors.contains("GET /changesets?checkpoint=0"), "{errors}");
    for (url, told) in [
        ("ftp://localhost", "expected http://HOST:PORT"),
        ("http://127.0.0.1:1", "it cannot be reached"),
    ] {
        let errors = fails(&["verify", "--url", url], 3);
        assert!(errors.contains(told), "{errors}");
    }
}

/// A server with keys is read with a key that may read everything.
#[test]
fn a_server_with_keys_needs_a_key_for_everything() {
    let folder = TempDir::new().expect("a folder");
    let storage = store_of(folder.path(), "a.db", 9);
    let file = keys(folder.path()).display().to_string();
    let all = add(folder.path(), "all", &["--right", "read"]);
    let limited = ["--right", "read", "--stream-prefix", "s-1"];
    let some = add(folder.path(), "some", &limited);
    let args = [
        "--storage",
        &storage,
        "--listen",
        "127.0.0.1:0",
        "--keys",
        &file,
    ];
    let server = Ees::spawn(ees(&args));
    let url = format!("http://{}", server.address());
    let verify = ["verify", "--url", &url];
    ok(&[&verify[..], &["--key", &all]].concat());
    for (more, told) in [(&["--key", &*some][..], "403"), (&[], "401")] {
        let errors = fails(&[&verify[..], more].concat(), 3);
        assert!(
            errors.contains("not verified") && errors.contains(told),
            "{errors}"
        );
    }
}
