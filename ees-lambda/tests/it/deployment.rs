//! The whole deployment, as its template describes it, on a local AWS.

use std::collections::BTreeMap;

use conformance_tests::subject::{GlobalRead, Subject};

use crate::stack::{INDEXER_STREAM, PUBLISHER_STREAM, Stack, options};

mod conformance;
mod faults;
mod metrics;
mod outages;
mod subscribers;

const API: &str = "ApiFunction";
const INDEXER: &str = "IndexerFunction";
const PUBLISHER: &str = "PublisherFunction";
const PROJECTOR: &str = "ProjectorFunction";
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
                200 => return,
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
            let page = self.client.global_changesets(&read).await.unwrap();
            if page.changesets.is_empty() {
                return order;
            }
            for changeset in page.changesets {
                assert_eq!(changeset.checkpoint, Some(order.len() as u64), "G6: dense");
                order.push((changeset.stream, changeset.changeset_id));
            }
        }
    }

    /// Waits until everything has gone its way, and holds the global order to what was committed.
    async fn settle(&self, committed: &Committed) {
        self.aws.settle().await;
        committed.is_all_of(self.order().await, "G6: the global order");
    }
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
