//! What one would write without a client: the same requests, and of each answer the ids that the next
//! commit to the stream expects.

use std::time::{Duration, Instant};

use benches::load::{self, STREAMS, Streams};
use benches::report::per_second;
use bytes::Bytes;
use futures_util::future::join_all;
use serde::Deserialize;

/// What the answers tell.
#[derive(Deserialize)]
struct Stored {
    changeset_id: u64,
    last_event_id: u64,
}

/// A plain HTTP client.
pub(crate) struct Plain {
    http: reqwest::Client,
    url: String,
    /// The body of the commits to each stream.
    bodies: Vec<Bytes>,
}

impl Plain {
    pub(crate) fn new(address: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            http: reqwest::Client::new(),
            url: format!("http://{address}"),
            bodies: (0..STREAMS)
                .map(|stream| load::body(stream).into())
                .collect(),
        }
    }

    /// Commits of concurrent writers, each to streams of its own. Returns commits per second.
    pub(crate) async fn append(&self, streams: &Streams, writers: u64, length: Duration) -> f64 {
        let begun = Instant::now();
        let work = (0..writers).map(async |writer| {
            let mut commits = 0_u64;
            let mut own = (writer..STREAMS).step_by(16).cycle();
            while begun.elapsed() < length {
                self.commit(streams, own.next().unwrap()).await;
                commits += 1;
            }
            commits
        });
        let commits: u64 = join_all(work).await.into_iter().sum();
        per_second(commits, begun.elapsed())
    }

    pub(crate) async fn commit(&self, streams: &Streams, stream: u64) {
        let last = streams.advance(stream);
        let url = format!(
            "{}/streams/order-{stream}?expected_last_changeset={last}&details=true",
            self.url
        );
        let body = self.bodies[usize::try_from(stream).unwrap()].clone();
        let asked = self.http.post(url).body(body);
        let asked = asked.header("content-type", "application/json");
        // As unique as a key has to be.
        let asked = asked.header("idempotency-key", format!("order-{stream}-{last}"));
        let answer = asked.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let answer = answer.bytes().await.unwrap();
        let stored: Stored = serde_json::from_slice(&answer).unwrap();
        assert!(stored.last_event_id >= stored.changeset_id);
    }
}
