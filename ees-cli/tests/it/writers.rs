//! Writers that commit until the server is gone, and what must be there afterwards.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::http;
use crate::process::{Ees, LONG};

const STREAMS: usize = 4;

/// Writers at work, one a stream.
pub(crate) struct Writers {
    acknowledged: Arc<Vec<AtomicU64>>,
    threads: Vec<JoinHandle<()>>,
}

impl Writers {
    /// Begins to write; each ends when a commit of its gets no answer.
    pub(crate) fn start(address: &str) -> Self {
        let acknowledged: Vec<_> = (0..STREAMS).map(|_| AtomicU64::new(0)).collect();
        let acknowledged = Arc::new(acknowledged);
        let threads = (0..STREAMS).map(|stream| {
            let (address, counts) = (address.to_owned(), Arc::clone(&acknowledged));
            std::thread::spawn(move || write(&address, stream, &counts[stream]))
        });
        Self {
            threads: threads.collect(),
            acknowledged,
        }
    }

    /// How many commits were acknowledged so far, by stream.
    pub(crate) fn acknowledged(&self) -> Vec<u64> {
        let counts = self.acknowledged.iter();
        counts.map(|count| count.load(Ordering::SeqCst)).collect()
    }

    /// Waits until this many more commits of each stream were acknowledged.
    pub(crate) fn wait_for_more(&self, more: u64) {
        let (begun, before) = (Instant::now(), self.acknowledged());
        while self
            .acknowledged()
            .iter()
            .zip(&before)
            .any(|(now, before)| now - before < more)
        {
            assert!(begun.elapsed() < LONG, "commits are acknowledged");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until the server is gone for all; what it had acknowledged, by stream.
    pub(crate) fn join(mut self) -> Vec<u64> {
        for thread in std::mem::take(&mut self.threads) {
            thread.join().expect("G3: ids are dense");
        }
        self.acknowledged()
    }
}

fn write(address: &str, stream: usize, acknowledged: &AtomicU64) {
    for last in 0.. {
        let path = format!("/streams/writer-{stream}?expected_last_changeset={last}");
        let body = format!(r#"{{"events":[{last},{last}]}}"#);
        let Ok(answer) = http::persist(address, "POST", &path, &body) else {
            return;
        };
        assert_eq!(answer.status, 200, "G2: {}", answer.body);
        acknowledged.store(last + 1, Ordering::SeqCst);
    }
}

/// All changesets of a server with their details, in the global order, which must be dense.
pub(crate) fn log(ees: &Ees) -> Vec<Value> {
    let mut log = Vec::new();
    loop {
        let path = format!(
            "/changesets?limit=1000&details=true&checkpoint={}",
            log.len()
        );
        let page = ees.ok("GET", &path, "");
        let changesets = page["changesets"].as_array().expect("changesets");
        if changesets.is_empty() {
            return log;
        }
        for changeset in changesets {
            assert_eq!(changeset["checkpoint"], log.len(), "G6: dense");
            log.push(changeset.clone());
        }
    }
}

/// Every stream's changesets have the ids 1, 2, 3 ...; how many, by stream.
pub(crate) fn lengths(log: &[Value]) -> BTreeMap<String, u64> {
    let mut lengths = BTreeMap::new();
    for changeset in log {
        let stream = changeset["stream_id"].as_str().expect("a stream");
        let length = lengths.entry(stream.to_owned()).or_insert(0);
        *length += 1;
        assert_eq!(changeset["changeset_id"], *length, "G3: dense in {stream}");
    }
    lengths
}

/// Everything acknowledged is in the log, and at most one commit a stream beside: the one that was
/// under way.
pub(crate) fn assert_kept(log: &[Value], acknowledged: &[u64]) {
    let lengths = lengths(log);
    for (stream, acknowledged) in acknowledged.iter().enumerate() {
        let kept = lengths
            .get(&format!("writer-{stream}"))
            .copied()
            .unwrap_or(0);
        let expected = *acknowledged..=acknowledged + 1;
        assert!(
            expected.contains(&kept),
            "G4: {acknowledged} were acknowledged, {kept} are there"
        );
    }
}
