//! A store moves to another one while it is served.

use std::thread;

use tempfile::TempDir;

use super::{commit, fails, ok, order};
use crate::http;
use crate::process::{Ees, sqlite};

/// Writers go on until the source has a fence. Every commit that was acknowledged is in the new store.
#[test]
fn a_served_store_moves_without_loss() {
    let folder = TempDir::new().expect("a folder");
    let [source, target] = ["a.db", "b.db"].map(|name| sqlite(&folder.path().join(name)));
    let server = Ees::serve(&source);
    commit(&server, 60);
    ok(&["copy", "--from", &source, "--to", &target]);
    let address = server.address();
    let writers: Vec<_> = (0..2)
        .map(|writer| {
            let address = address.clone();
            thread::spawn(move || write_until_fenced(&address, writer))
        })
        .collect();
    let said = ok(&[
        "copy",
        "--from",
        &source,
        "--to",
        &target,
        "--fence",
        "http://new:8080",
    ]);
    assert!(said.contains("read back and compared"), "{said}");
    let written: u64 = writers
        .into_iter()
        .map(|one| one.join().expect("a writer"))
        .sum();
    let moved = Ees::serve(&target);
    let all = order(&moved);
    assert_eq!(all.len() as u64, 80 + written);
    assert_eq!(all, order(&server));
    moved.ok("POST", "/streams/new", r#"{"events":[1]}"#);

    // Once more is harmless until the new store goes on; then the old one can be used again only by hand.
    let errors = fails(&["copy", "--from", &source, "--to", &target], 3);
    assert!(errors.contains("in use"), "{errors}");
    let said = ok(&["admin", "lift-fence", "--storage", &source]);
    assert!(said.contains("http://new:8080"), "{said}");
    server.ok("POST", "/streams/again", r#"{"events":[1]}"#);
    let said = ok(&[
        "admin",
        "fence",
        "http://there",
        "--storage",
        &source,
        "--json",
    ]);
    assert!(said.contains("http://there"), "{said}");
    fails(&["admin", "fence", "a\nb", "--storage", &source], 2);
}

/// Commits until the store has moved; how many were acknowledged.
fn write_until_fenced(address: &str, writer: u64) -> u64 {
    for number in 0.. {
        let path = format!("/streams/w-{writer}?expected_last_changeset={number}");
        let answer = http::request(address, "POST", &path, r#"{"events":[1]}"#);
        let answer = answer.expect("an answer");
        if answer.status != 200 {
            assert_eq!(answer.status, 503, "{}", answer.body);
            assert!(answer.body.contains("STORE_FENCED"), "{}", answer.body);
            assert!(answer.body.contains("http://new:8080"), "{}", answer.body);
            return number;
        }
    }
    unreachable!("a writer does not end")
}
