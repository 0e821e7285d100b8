//! The whole deployment, as its template describes it, on a local AWS.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::atomic::Ordering;

use ees_aws_testkit::{Error, FunctionError};
use ees_conformance::subject::{Failure, GlobalRead, Subject};
use serde_json::Value;

use crate::stack::{INDEXER_STREAM, PUBLISHER_STREAM, Stack, options};

mod conformance;
mod faults;
mod metrics;
mod outages;
mod restoring;
mod subscribers;
mod taking_over;

const API: &str = "ApiFunction";
const INDEXER: &str = "IndexerFunction";
const PUBLISHER: &str = "PublisherFunction";
const PROJECTOR: &str = "ProjectorFunction";
const SEALER: &str = "SealerFunction";
const REDRIVE: &str = "RedriveFunction";
const SWEEP: &str = "SweepFunction";
const FUNCTIONS: [&str; 6] = [API, INDEXER, PUBLISHER, PROJECTOR, REDRIVE, SWEEP];

/// How often a client tries again before it gives up.
const TRIES: usize = 200;

impl Stack {
    /// Commits a stream's next changeset, with a key, as often as it takes.
    async fn commit(&self, stream: &str, after: u64, events: &str) {
        let path = format!("/streams/{stream}?expected_last_changeset={after}");
        let key = format!("{stream}-{after}");
        let body = format!(r#"{{"events":{events}}}"#);
        for _ in 0..TRIES {
            let headers = [("idempotency-key", key.as_str())];
            let answer = self
                .client
                .send("POST".parse().unwrap(), &path, &headers, body.clone())
                .await;
            match answer.status.as_u16() {
                200 => {
                    self.committed.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                429 | 500.. => {}
                _ => panic!(
                    "G2: {stream} after {after}: {} {}",
                    answer.status,
                    answer.text()
                ),
            }
        }
        panic!("G8: {stream} after {after} was not committed in {TRIES} tries");
    }

    /// Commits so many streams of so many changesets of two events each, all streams at the same
    /// time; what is in the store then.
    async fn fill(&self, streams: u64, changesets: u64) -> Committed {
        let empty = (0..streams).map(|number| (format!("s{number}"), 0));
        self.fill_on(&Committed(empty.collect()), changesets).await
    }

    /// Goes on with streams until each has so many changesets.
    async fn fill_on(&self, before: &Committed, changesets: u64) -> Committed {
        let fill = |(stream, last): (&String, &u64)| {
            let (stream, last) = (stream.clone(), *last);
            async move {
                for after in last..changesets {
                    self.commit(&stream, after, r#"[{"n":1},{"n":2}]"#).await;
                }
                (stream, changesets)
            }
        };
        let filled = futures_util::future::join_all(before.0.iter().map(fill)).await;
        Committed(filled.into_iter().collect())
    }

    /// All of the global order: stream and changeset, each at its checkpoint.
    async fn order(&self) -> Vec<(String, u64)> {
        let mut order = Vec::new();
        loop {
            let read = GlobalRead::from(order.len() as u64).limit(1000);
            let page = insist(async || self.client.global_changesets(&read).await, is_late);
            let page = page.await;
            if page.changesets.is_empty() {
                return order;
            }
            for changeset in page.changesets {
                assert_eq!(changeset.checkpoint, Some(order.len() as u64), "G6: dense");
                order.push((changeset.stream, changeset.changeset_id));
            }
        }
    }

    /// What a function answers to its schedule, which is run as often as it takes.
    async fn scheduled(&self, function: &str) -> Value {
        let may_pass = |error: &Error| match error {
            Error::Function {
                source: FunctionError::Answered { kind, .. },
                ..
            } => ["StorageUnavailable", "Bucket", "Left"].contains(&kind.as_str()),
            _ => false,
        };
        insist(async || self.aws.run_schedule(function).await, may_pass).await
    }

    /// Waits until everything has gone its way, and holds the global order to what was committed.
    async fn settle(&self, committed: &Committed) {
        self.aws.settle().await;
        committed.is_all_of(self.order().await, "G6: the global order");
    }

    /// The same after faults that may have put something aside: then the redrive leaves nothing.
    async fn settle_redriven(&self, committed: &Committed) {
        self.aws.settle().await;
        self.scheduled(REDRIVE).await;
        assert_eq!(self.failures().await, [""; 0]);
        self.settle(committed).await;
    }
}

/// Whether the API may answer if it is asked again.
fn is_late(failure: &Failure) -> bool {
    ["OVERLOADED", "STORAGE_UNAVAILABLE"].contains(&failure.code.as_str())
}

/// What is answered at last: on a machine under load services may be too late for a function.
async fn insist<A, E: Debug>(
    ask: impl AsyncFn() -> Result<A, E>,
    may_pass: impl Fn(&E) -> bool,
) -> A {
    let mut answer = ask().await;
    for _ in 1..TRIES {
        if !answer.as_ref().is_err_and(&may_pass) {
            break;
        }
        answer = ask().await;
    }
    answer.unwrap()
}

/// Streams and how many changesets each has.
struct Committed(BTreeMap<String, u64>);

impl Committed {
    fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Holds a list to these changesets, each once and each stream's in its order.
    fn is_all_of(&self, list: Vec<(String, u64)>, what: &str) {
        let mut found: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for (stream, changeset) in list {
            found.entry(stream).or_default().push(changeset);
        }
        let expected = self.0.iter();
        let expected = expected.map(|(stream, last)| (stream.clone(), (1..=*last).collect()));
        assert_eq!(found, expected.collect::<BTreeMap<_, Vec<_>>>(), "{what}");
    }
}
