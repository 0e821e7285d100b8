//! Durable consumers over HTTP, against readers that keep their checkpoints themselves.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use benches::client::Client;
use benches::in_process::costs::SQLITE_WRITER;
use benches::in_process::followed::compare_followed;
use benches::report::{Rounds, compare, cpu_time, rate, spread};
use benches::server;
use ees_core::EventStore;
use ees_core::consumer::{ConsumerDefinition, ConsumerName};
use ees_sqlite::{SqliteConfig, SqliteStorage};
use futures_util::future::join_all;
use hyper::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::growth;

/// The number of changesets to read.
const CHANGESETS: u64 = 50_000;

/// The number of changesets per batch, and per page.
const BATCH: u64 = 100;

/// The number of idle consumers, and of idle readers.
const IDLE: usize = 64;

/// The store of a file, with consumers.
async fn store(path: &Path) -> EventStore {
    let storage = SqliteStorage::open(&SqliteConfig::new(path)).await.unwrap();
    let storage = Arc::new(storage);
    EventStore::new(Arc::clone(&storage)).with_consumers(storage)
}

async fn define(store: &EventStore, name: &str) {
    let name: ConsumerName = name.parse().unwrap();
    let definition = ConsumerDefinition::default();
    let consumers = store.consumers().unwrap();
    consumers.define(&name, &definition).await.unwrap();
}

/// One consumer that acknowledges each batch and gets the next one in the answer, against a reader of
/// pages of the same size.
pub(crate) async fn run(rounds: Rounds) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ees.db");
    growth::fill(&path, CHANGESETS).await;
    let store = store(&path).await;
    define(&store, "billing").await;
    let address = server::start(server::contract(store)).await;
    let mut clients = server::clients(address, 2).await;
    let mut reader = clients.remove(1);
    let mut worker = Worker::claim(clients.remove(0)).await;
    let mut next = 0;
    compare(
        "changesets of a consumer over HTTP, in batches of 100, against pages of the global order",
        rounds,
        async |length| rate(length, async || worker.batch().await).await,
        async |length| rate(length, async || page(&mut reader, &mut next).await).await,
    )
    .await;
}

/// Commits beside a consumer that follows them, against commits without one.
pub(crate) async fn run_beside(rounds: Rounds) {
    let folder = tempfile::tempdir().unwrap();
    let followed = store(&folder.path().join("followed.db")).await;
    let plain = store(&folder.path().join("plain.db")).await;
    compare_followed("SQLite", rounds, SQLITE_WRITER, &followed, &plain).await;
}

/// Reads a page. Returns the number of its changesets.
async fn page(client: &mut Client, next: &mut u64) -> u64 {
    let path = format!("/changesets?checkpoint={next}&limit={BATCH}");
    let body = client.call(Method::GET, &path, String::new()).await;
    let reached = ends_with(&body);
    let read = reached - *next;
    *next = reached % CHANGESETS;
    read
}

/// The `next_checkpoint` at the end of an answer. The rest is not parsed.
fn ends_with(body: &[u8]) -> u64 {
    #[derive(Deserialize)]
    struct End {
        next_checkpoint: u64,
    }
    let tail = body.iter().rposition(|byte| *byte == b',').unwrap();
    let tail = format!("{{{}", std::str::from_utf8(&body[tail + 1..]).unwrap());
    let end: End = serde_json::from_str(&tail).unwrap();
    end.next_checkpoint
}

/// A worker with a batch.
struct Worker {
    client: Client,
    generation: u64,
    begin: u64,
    end: u64,
}

impl Worker {
    async fn claim(client: Client) -> Self {
        let mut worker = Self {
            client,
            generation: 0,
            begin: 0,
            end: 0,
        };
        let claim = json!({ "worker": "bench", "limit": BATCH });
        worker.take("claim", &claim).await;
        worker
    }

    /// Acknowledges the batch and gets the next one. At the end of the order it begins anew. Returns
    /// the number of changesets of the batch.
    async fn batch(&mut self) -> u64 {
        let handled = self.end - self.begin;
        self.begin = self.end;
        if self.end == CHANGESETS {
            let reset = json!({ "checkpoint": 0 });
            self.call("reset", &reset).await;
            self.begin = 0;
            let claim = json!({ "worker": "bench", "limit": BATCH });
            self.take("claim", &claim).await;
            return handled;
        }
        let ack = json!({
            "partition": 0, "generation": self.generation, "checkpoint": self.end,
            "next": { "limit": BATCH },
        });
        self.take("ack", &ack).await;
        handled
    }

    async fn take(&mut self, call: &str, asked: &Value) {
        let body = self.call(call, asked).await;
        // The head of the answer has the generation.
        let head = body.iter().position(|byte| *byte == b'[').unwrap();
        let head = std::str::from_utf8(&body[..head]).unwrap();
        let generation = head.split("\"generation\":").nth(1).unwrap().trim_start();
        let digits = generation.split(|c: char| !c.is_ascii_digit()).next();
        self.generation = digits.unwrap().parse().unwrap();
        self.end = ends_with(&body);
    }

    async fn call(&mut self, call: &str, asked: &Value) -> bytes::Bytes {
        let path = format!("/consumers/billing/{call}");
        self.client
            .call(Method::POST, &path, asked.to_string())
            .await
    }
}

/// The processor time of 64 consumers that wait for something, and of 64 waiting readers, as parts of
/// one core.
pub(crate) async fn run_idle(rounds: Rounds) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ees.db");
    growth::fill(&path, BATCH).await;
    let store = store(&path).await;
    let address = server::start(server::contract(store.clone())).await;
    let mut waiting = Vec::new();
    for number in 0..IDLE {
        let name = format!("idle-{number}");
        define(&store, &name).await;
        let client = Client::connect(address).await;
        waiting.push((format!("/consumers/{name}"), client));
    }
    let mut costs = [Vec::new(), Vec::new()];
    // The first round brings the consumers to the end of the order.
    for round in 0..=rounds.count {
        for (kind, costs) in (0..).zip(&mut costs) {
            let before = cpu_time();
            let waits = waiting.iter_mut().map(async |(path, client)| {
                wait(client, path, kind == 0, rounds.length).await;
            });
            join_all(waits).await;
            if round > 0 {
                costs
                    .push(cpu_time().saturating_sub(before).as_secs_f64() / wait_of(rounds.length));
            }
        }
    }
    let [consumers, readers] = costs.map(|costs| spread(costs.into_iter()));
    println!(
        "{IDLE} consumers that wait: {:.2} percent of a core (rounds {:.2} to {:.2}); \
         {IDLE} waiting readers: {:.2} percent",
        consumers.median * 100.0,
        consumers.least * 100.0,
        consumers.most * 100.0,
        readers.median * 100.0,
    );
}

/// How long each wait is, in whole seconds: long against what its begin and its end cost.
fn wait_of(length: Duration) -> f64 {
    length.as_secs_f64().ceil().clamp(5.0, 20.0)
}

async fn wait(client: &mut Client, path: &str, is_consumer: bool, length: Duration) {
    let wait = wait_of(length);
    if is_consumer {
        let claim = format!(r#"{{"worker": "bench", "wait": {wait}}}"#);
        loop {
            let path = format!("{path}/claim");
            let (status, body) = client.send(Method::POST, &path, claim.clone()).await;
            if status == StatusCode::NO_CONTENT {
                return;
            }
            let batch: Value = serde_json::from_slice(&body).unwrap();
            let ack = json!({
                "partition": 0, "generation": batch["generation"],
                "checkpoint": batch["next_checkpoint"],
            });
            let path = path.replace("/claim", "/ack");
            client.call(Method::POST, &path, ack.to_string()).await;
        }
    }
    let path = format!("/changesets?checkpoint={BATCH}&wait={wait}");
    client.call(Method::GET, &path, String::new()).await;
}
