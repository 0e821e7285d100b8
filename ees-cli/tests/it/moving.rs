//! Data that moves: `ees export`, `ees import`, `ees copy`, and `ees verify` (G14, G17).

mod altering;
mod copying;
mod damage;
mod damage_elsewhere;
mod files;
mod killing;
mod page;
mod remote;
mod round_trip;
mod without_events;

use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;

use crate::process::{Ees, run, sqlite};

/// Runs a command that must succeed; what it printed.
fn ok(args: &[&str]) -> String {
    let (code, said, errors) = run(args);
    assert_eq!(code, Some(0), "{args:?}: {errors}");
    said
}

/// Runs a command that must fail with a code; what it said.
fn fails(args: &[&str], expected: i32) -> String {
    let (code, said, errors) = run(args);
    assert_eq!(code, Some(expected), "{args:?}: {said}{errors}");
    errors
}

/// A file with so many changesets, whose server has ended.
fn store_of(folder: &Path, name: &str, changesets: u64) -> String {
    let storage = sqlite(&folder.join(name));
    let mut server = Ees::serve(&storage);
    commit(&server, changesets);
    server.kill();
    storage
}

/// Commits to a few streams.
fn commit(server: &Ees, changesets: u64) {
    for number in 0..changesets {
        let path = format!("/streams/s-{number}");
        let body = r#"{"events":[{"type":"a", "n": 1.10},
            "pretty \u2028"], "metadata": {"by" : "x"}}"#;
        server.ok("POST", &path, body);
        if number % 3 == 0 {
            let path = format!("{path}?expected_last_changeset=1");
            server.ok("POST", &path, r#"{"events":[2,3]}"#);
        }
    }
}

/// Everything that a server tells of its order.
fn order(server: &Ees) -> Vec<Value> {
    let mut all = Vec::new();
    let mut from = 0;
    loop {
        let path = format!("/changesets?checkpoint={from}&limit=1000&details=true");
        let page = server.ok("GET", &path, "");
        let changesets = page["changesets"].as_array().expect("changesets");
        if changesets.is_empty() {
            return all;
        }
        all.extend(changesets.iter().cloned());
        from = page["next_checkpoint"].as_u64().expect("a checkpoint");
    }
}

/// Changes a file behind the back of the store.
fn change(file: &Path, sql: &str) {
    let connection = Connection::open(file).expect("a database");
    connection.execute_batch(sql).expect(sql);
}
