//! A copy that is killed at any moment, and repeated until it ends.

use std::path::Path;
use std::process::Stdio;

use ees_conformance::crash::Schedule;
use ees_core::{Checkpoint, Events, Expectation, NewChangeset};
use ees_evidence::{Copy, Until};
use ees_postgres_testkit::Database;
use ees_storage::open;
use serde_json::Value;
use tempfile::TempDir;

use super::damage_elsewhere::movable;
use super::{ok, order};
use crate::process::{Ees, ees, run, sqlite};

/// How often a copy is killed.
const KILLS: u64 = 8;

/// The longest that a copy runs before it is killed, in milliseconds.
const LONGEST: u64 = 150;

/// How often a copy may fail that nobody kills: a database may still write what a killed one has sent.
const FAILURES: usize = 5;

/// A file with 2500 changesets, which are three pages, and a subscription.
async fn source(file: &Path) -> String {
    let url = sqlite(file);
    let memory = open("memory:").await.expect("a store");
    for number in 0..2500_u64 {
        let stream = format!("s-{}", number % 50).parse().expect("a stream");
        let events = Events::of(&[number]).expect("events");
        let expected = Expectation::LastChangeset(number / 50);
        let asked = NewChangeset::new(stream, expected, events);
        memory.store.commit(asked).await.expect("a commit");
    }
    let saved = memory
        .checkpoints
        .save_checkpoint("view", Checkpoint::FIRST.plus(12));
    saved.await.expect("a checkpoint");
    let target = open(&url).await.expect("a store");
    let copy = Copy::new(&movable(&memory), &movable(&target), Until::Now);
    copy.run(|_, _| {}).await.expect("a copy");
    target.store.close().await;
    url
}

/// The root that a verification tells.
fn root(storage: &str) -> Value {
    let said = ok(&["verify", "--storage", storage, "--json"]);
    let said: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(said["size"], 2500, "{said}");
    said["root"].clone()
}

/// G14: whenever a copy with a fence is killed, the same command goes on, and both stores are the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_copy_is_repeated() {
    let folder = TempDir::new().expect("a folder");
    let database = Database::fresh().expect("PostgreSQL");
    let target = format!("{}?allow_fsync_off=true", database.url());
    let source = source(&folder.path().join("a.db")).await;
    let fence = "http://new:8080";
    let copy = ["copy", "--from", &source, "--to", &target, "--fence", fence];
    let mut schedule = Schedule::new(7);
    for _ in 0..KILLS {
        let mut child = ees(&copy)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("ees starts");
        std::thread::sleep(schedule.milliseconds(LONGEST));
        // It may have come to its end.
        let _ = child.kill();
        child.wait().expect("an end");
    }
    let mut failures = Vec::new();
    let said = loop {
        let (code, said, errors) = run(&copy);
        if code == Some(0) {
            break said;
        }
        failures.push(errors);
        assert!(failures.len() < FAILURES, "{failures:?}");
    };
    assert!(said.contains("2500 positions"), "{said}");
    assert!(
        said.contains("the checkpoints of 1 subscriptions"),
        "{said}"
    );
    assert_eq!(root(&target), root(&source));
    let [from, to] = [&source, &target].map(|storage| Ees::serve(storage));
    assert_eq!(order(&to), order(&from));
    for path in ["/streams/s-0", "/streams/s-49"] {
        assert_eq!(to.ok("GET", path, ""), from.ok("GET", path, ""));
    }
    to.ok("POST", "/streams/new", r#"{"events":[1]}"#);
}
