//! Durable consumers while the server is killed and frozen, and while workers die and sleep: nothing
//! is skipped, and each stream stays in its order (G16).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Ees, LONG, sqlite};
use crate::http;

const WORKERS: u64 = 16;
const STREAMS: u64 = 12;
const CHANGESETS: u64 = 20;

/// A stream whose second changeset cannot be handled at first.
const POISONED: &str = "order-3";

/// What all workers have done.
#[derive(Default)]
struct Work {
    /// Where the server is now.
    address: Mutex<String>,
    /// The last changeset of each stream that was handled.
    handled: Mutex<BTreeMap<String, u64>>,
    failures: Mutex<u32>,
    is_done: AtomicBool,
}

impl Work {
    fn address(&self) -> String {
        self.address.lock().expect("no panic").clone()
    }

    fn count(&self) -> u64 {
        self.handled.lock().expect("no panic").values().sum()
    }

    fn wait_for(&self, count: u64) {
        let begun = Instant::now();
        while self.count() < count {
            assert!(begun.elapsed() < LONG, "G16: {:?}", self.handled);
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Handles a changeset: its predecessor was handled before, by whomever.
    fn handle(&self, stream: &str, id: u64) -> bool {
        let mut failures = self.failures.lock().expect("no panic");
        if stream == POISONED && id == 2 && *failures < 3 {
            *failures += 1;
            return false;
        }
        drop(failures);
        let mut handled = self.handled.lock().expect("no panic");
        let last = handled.entry(stream.to_owned()).or_default();
        assert!(id <= *last + 1, "G16: `{stream}`: {id} comes after {last}");
        *last = id.max(*last);
        true
    }

    /// Calls the server as it is now. Nothing, if no whole answer came.
    fn call(&self, call: &str, body: &Value) -> Option<(u16, Value)> {
        let path = format!("/consumers/billing/{call}");
        let answer = http::request(&self.address(), "POST", &path, &body.to_string());
        let answer = answer.ok()?;
        Some((answer.status, serde_json::from_str(&answer.body).ok()?))
    }
}

/// Claims, handles and acknowledges; now and then dies with its batch, or sleeps on it.
fn work(work: &Work, worker: u64) {
    let claim = json!({ "worker": format!("w{worker}"), "limit": 3 });
    let mut turn = worker;
    while !work.is_done.load(Ordering::Relaxed) {
        let Some((200, batch)) = work.call("claim", &claim) else {
            thread::sleep(Duration::from_millis(100));
            continue;
        };
        turn += 1;
        if turn.is_multiple_of(31) {
            continue;
        }
        if turn.is_multiple_of(37) {
            // Longer than its lease: whoever takes over is not disturbed.
            thread::sleep(Duration::from_secs(7));
        }
        let mut failed: Vec<Value> = Vec::new();
        for changeset in batch["changesets"].as_array().expect("changesets") {
            let stream = changeset["stream_id"].as_str().expect("a stream id");
            let id = changeset["changeset_id"].as_u64().expect("an id");
            let waits = failed.iter().any(|failed| failed["stream_id"] == stream);
            if !waits && !work.handle(stream, id) {
                failed.push(json!({ "stream_id": stream, "changeset_id": id, "error": "no" }));
            }
        }
        let ack = json!({
            "partition": batch["partition"],
            "generation": batch["generation"],
            "checkpoint": batch["next_checkpoint"],
            "failed": failed,
        });
        // A lost answer, or `FENCED`: the batch is handed out again, or was taken over.
        let acked = work.call("ack", &ack);
        let refused = acked.filter(|(status, _)| *status == 400);
        assert!(refused.is_none(), "G16: {refused:?}");
    }
}

/// Commits everything, whatever becomes of the server.
fn write(work: &Work) {
    for last in 0..CHANGESETS {
        for stream in 0..STREAMS {
            let path = format!("/streams/order-{stream}?expected_last_changeset={last}");
            let begun = Instant::now();
            // A conflict means that an answer was lost: nobody else writes.
            while !http::request(&work.address(), "POST", &path, r#"{"events":[{}]}"#)
                .is_ok_and(|answer| matches!(answer.status, 200 | 409))
            {
                assert!(begun.elapsed() < LONG, "a commit");
                thread::sleep(Duration::from_millis(50));
            }
        }
    }
}

fn serve(storage: &str, work: &Work) -> Ees {
    let ees = Ees::serve(storage);
    *work.address.lock().expect("no panic") = ees.address();
    ees
}

#[test]
fn kills_and_sleepers_skip_nothing() {
    let folder = TempDir::new().expect("a folder");
    let storage = sqlite(&folder.path().join("ees.db"));
    let all = Arc::new(Work::default());
    let mut ees = serve(&storage, &all);
    let definition = r#"{"partitions": 8, "lease_seconds": 5, "retry_seconds": [1, 1, 1, 1, 1]}"#;
    let defined = http::request(&ees.address(), "PUT", "/consumers/billing", definition);
    assert_eq!(defined.expect("an answer").status, 201, "G16: defined");
    let mut threads = Vec::new();
    for worker in 0..WORKERS {
        let all = Arc::clone(&all);
        threads.push(thread::spawn(move || work(&all, worker)));
    }
    let writer = Arc::clone(&all);
    threads.push(thread::spawn(move || write(&writer)));
    let total = STREAMS * CHANGESETS;
    for part in [4, 2] {
        all.wait_for(total / part);
        ees.kill();
        ees = serve(&storage, &all);
    }
    // Its workers' leases end while the server stands still.
    all.wait_for(total * 2 / 3);
    ees.signal("STOP");
    thread::sleep(Duration::from_secs(6));
    ees.signal("CONT");
    all.wait_for(total);
    all.is_done.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().expect("G16: every stream in its order");
    }
    assert_eq!(
        *all.failures.lock().expect("no panic"),
        3,
        "G16: it was tried"
    );
    let handled = all.handled.lock().expect("no panic");
    assert!(
        handled.values().all(|last| *last == CHANGESETS),
        "G16: {handled:?}"
    );
}
