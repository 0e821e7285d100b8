//! What each operation costs, in requests and in DynamoDB's own units: `docs/dynamodb.md`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ees_core::Expectation::LastChangeset;
use ees_core::adapter::{ChangesetKey, Commit, CommitSet, Import, Index, Outcome, Storage};
use ees_core::consumer::{Ack, Claim, ConsumerDefinition};
use ees_core::indexer::Indexer;
use ees_core::{
    Changeset, ChangesetId, CommitId, EventStore, Events, Expectation, Json, StreamId, StreamQuery,
    StreamRange, Timestamp,
};
use ees_dynamodb::{DynamoConfig, DynamoStorage};
use ees_dynamodb_testkit::{Call, Emulator, Fate, Plan, Proxy};
use serde_json::{Value, json};

use crate::importing;
use crate::sets::{self, committed, refused};
use crate::store::{Layout, New, config, open};

/// Asks for what each call consumed, and adds it up.
#[derive(Default)]
pub(crate) struct Meter(Mutex<BTreeMap<String, Cost>>);

/// Requests of one kind, and the units they took.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Cost {
    pub(crate) requests: u64,
    pub(crate) units: f64,
}

impl Plan for Meter {
    fn begin(&self, call: &mut Call) -> Fate {
        call.asked["ReturnConsumedCapacity"] = json!("TOTAL");
        Fate::Through
    }

    fn end(&self, call: &Call, answer: &mut Value) {
        if call.operation == "DescribeTable" {
            return;
        }
        let consumed = &answer["ConsumedCapacity"];
        let units = |consumed: &Value| consumed["CapacityUnits"].as_f64().expect("a figure");
        let units = match consumed.as_array() {
            Some(tables) => tables.iter().map(units).sum(),
            None => units(consumed),
        };
        let mut costs = self.0.lock().unwrap();
        let cost = costs.entry(call.operation.clone()).or_default();
        cost.requests += 1;
        cost.units += units;
    }
}

impl Meter {
    /// What was spent since the last time.
    pub(crate) fn read(&self) -> BTreeMap<String, Cost> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A store behind a meter.
pub(crate) struct Metered {
    pub(crate) storage: Arc<DynamoStorage>,
    pub(crate) config: DynamoConfig,
    pub(crate) meter: Arc<Meter>,
    _proxy: Proxy,
    _emulator: Emulator,
}

/// A store in new tables, behind a meter.
pub(crate) async fn metered() -> Metered {
    metered_on::<New>().await
}

pub(crate) async fn metered_on<T: Layout>() -> Metered {
    let emulator = Emulator::start().expect("an emulator");
    let mut config = config(emulator.endpoint());
    T::create(&config).await;
    let meter = Arc::new(Meter::default());
    let proxy = Proxy::start(emulator.endpoint(), Arc::clone(&meter) as _)
        .await
        .unwrap();
    config.endpoint.url = Some(proxy.endpoint.clone());
    let storage = open(&config).await;
    meter.read();
    Metered {
        storage,
        config,
        meter,
        _proxy: proxy,
        _emulator: emulator,
    }
}

/// Commits a changeset that takes so many KB, rounded up.
pub(crate) async fn commit(storage: &DynamoStorage, stream: &str, last: u64, kilobytes: usize) {
    let commit = asked(stream, last, kilobytes);
    let outcome = storage.commit(&commit).await.unwrap();
    assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
}

fn asked(stream: &str, last: u64, kilobytes: usize) -> Commit {
    let text = "x".repeat(kilobytes * 1024 - 400);
    Commit {
        stream_id: StreamId::new(stream).unwrap(),
        expectation: LastChangeset(last),
        events: Events::of(&[text]).unwrap(),
        metadata: Json::default(),
        commit_id: CommitId::generate(),
        set: None,
        timestamp: Timestamp::now(),
    }
}

pub(crate) fn cost(requests: u64, units: f64) -> Cost {
    Cost { requests, units }
}

pub(crate) fn costs<const N: usize>(costs: [(&str, Cost); N]) -> BTreeMap<String, Cost> {
    costs.map(|(name, cost)| (name.to_owned(), cost)).into()
}

/// S + 2 write units: the changeset, and an entry of keys in each local index.
#[tokio::test]
async fn a_commit_is_one_request_where_the_stream_is_known() {
    let store = metered().await;
    for (kilobytes, units) in [(1, 3.0), (10, 12.0), (100, 102.0)] {
        let stream = format!("s{kilobytes}");
        for last in 0..3 {
            commit(&store.storage, &stream, last, kilobytes).await;
            let spent = store.meter.read();
            assert_eq!(
                spent,
                costs([("PutItem", cost(1, units))]),
                "changeset {last}"
            );
        }
    }
}

/// 1 write unit more for a client's key, and nothing more to read.
#[tokio::test]
async fn a_key_is_one_write_unit_more() {
    let store = metered().await;
    let keyed = |last: u64, key: &str| Commit {
        commit_id: CommitId::new(key).unwrap(),
        ..asked("s", last, 1)
    };
    for last in 0..3 {
        let commit = keyed(last, &format!("key {last}"));
        let outcome = store.storage.commit(&commit).await.unwrap();
        assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
        let wanted = costs([("PutItem", cost(2, 4.0))]);
        assert_eq!(store.meter.read(), wanted, "changeset {last}");
    }
    // A repeat that expects what is outdated: the end, the marker, and the changeset.
    let outcome = store.storage.commit(&keyed(9, "key 1")).await.unwrap();
    assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
    let spent = store.meter.read();
    assert_eq!(spent["GetItem"], cost(1, 1.0), "{spent:?}");
    assert_eq!(spent["BatchGetItem"], cost(1, 1.0), "{spent:?}");
    assert_eq!(spent.get("PutItem"), None, "{spent:?}");
}

/// A set of commits behind these ends of streams, of so many KB each.
fn set(commits: &[(&str, u64)], kilobytes: usize, key: Option<&str>) -> CommitSet {
    let made = sets::set(commits, &[]);
    let commit_id = key.map_or_else(CommitId::generate, |key| CommitId::new(key).unwrap());
    let commits = commits
        .iter()
        .zip(made.commits)
        .map(|((stream, last), one)| Commit {
            set: one.set,
            commit_id: commit_id.clone(),
            ..asked(stream, *last, kilobytes)
        });
    CommitSet {
        commits: commits.collect(),
        checks: Vec::new(),
    }
}

/// 2 S + 2 write units for each changeset of a set: a transaction writes the item twice, and its
/// entries in local indexes once. 2 more for each key, and 2 for each check. All in one request.
#[tokio::test]
async fn a_set_is_one_request_of_double_units() {
    let store = metered().await;
    for (kilobytes, units) in [(1, 4.0), (10, 22.0)] {
        let streams = [format!("a{kilobytes}"), format!("b{kilobytes}")];
        let ends = |last| [(streams[0].as_str(), last), (streams[1].as_str(), last)];
        for last in 0..2 {
            committed(&store.storage, &set(&ends(last), kilobytes, None)).await;
            let wanted = costs([("TransactWriteItems", cost(1, 2.0 * units))]);
            assert_eq!(store.meter.read(), wanted, "changeset {last}");
        }
    }
    let with_key = || set(&[("a", 0), ("b", 0)], 1, Some("k"));
    committed(&store.storage, &with_key()).await;
    let wanted = costs([("TransactWriteItems", cost(1, 12.0))]);
    assert_eq!(store.meter.read(), wanted);
    let mut checking = set(&[("a", 1), ("b", 1)], 1, None);
    checking.checks = sets::set(
        &[],
        &[("c", Expectation::NEW_STREAM), ("a1", LastChangeset(2))],
    )
    .checks;
    committed(&store.storage, &checking).await;
    let wanted = costs([("TransactWriteItems", cost(1, 12.0))]);
    assert_eq!(store.meter.read(), wanted, "what is checked is known");
    // A repeat: for each stream its end, twice its marker, and its changeset.
    refused(&store.storage, &with_key()).await;
    let wanted = costs([("Query", cost(2, 2.0)), ("BatchGetItem", cost(3, 6.0))]);
    let mut spent = store.meter.read();
    // It expects new streams, so that it is sent once before anything is read.
    spent.remove("TransactWriteItems");
    assert_eq!(spent, wanted);
}

/// A head that is unknown is 1 read unit, of a commit as of a check.
#[tokio::test]
async fn a_set_reads_the_ends_that_are_unknown() {
    let store = metered().await;
    for stream in ["a", "b", "c"] {
        commit(&store.storage, stream, 0, 10).await;
    }
    let other = open(&store.config).await;
    store.meter.read();
    let mut checking = set(&[("a", 1), ("b", 1)], 1, None);
    checking.checks = sets::set(&[], &[("c", LastChangeset(1))]).checks;
    committed(&other, &checking).await;
    let wanted = costs([
        ("Query", cost(3, 3.0)),
        ("TransactWriteItems", cost(1, 10.0)),
    ]);
    assert_eq!(store.meter.read(), wanted);
}

/// 1 read unit more, however large the last changeset is.
#[tokio::test]
async fn a_commit_is_two_requests_where_it_is_not() {
    let store = metered().await;
    commit(&store.storage, "s", 0, 100).await;
    let other = open(&store.config).await;
    store.meter.read();
    commit(&other, "s", 1, 1).await;
    let wanted = costs([("Query", cost(1, 1.0)), ("PutItem", cost(1, 3.0))]);
    assert_eq!(store.meter.read(), wanted);
}

/// Who has read the stream's end need not ask for it.
#[tokio::test]
async fn a_commit_after_a_read_is_one_request() {
    let store = metered().await;
    commit(&store.storage, "s", 0, 1).await;
    let other = open(&store.config).await;
    other
        .read_stream(&StreamQuery::all("s".parse().unwrap()))
        .await
        .unwrap();
    store.meter.read();
    commit(&other, "s", 1, 1).await;
    assert_eq!(store.meter.read(), costs([("PutItem", cost(1, 3.0))]));
}

pub(crate) fn keys(id: u64) -> Vec<ChangesetKey> {
    let key = |stream: usize| ChangesetKey {
        stream_id: StreamId::new(&name(stream)).unwrap(),
        changeset_id: ChangesetId::new(id).unwrap(),
    };
    (0..100).map(key).collect()
}

pub(crate) fn name(stream: usize) -> String {
    format!("order-2026-{stream:010}")
}

/// S + 1 write units a changeset and at most 0.2 for the state, a quarter of S and at most one more
/// read unit, and 1.03 requests in blocks of a hundred.
#[tokio::test]
async fn an_indexer_writes_what_it_must() {
    let store = metered().await;
    let mut indexer = Indexer::new(Arc::clone(&store.storage) as Arc<dyn Index>);
    for (id, kilobytes) in [(1, 1_u16), (2, 10)] {
        for stream in 0..100 {
            commit(&store.storage, &name(stream), id - 1, kilobytes.into()).await;
        }
        store.meter.read();
        let done = indexer.index(keys(id)).await.unwrap();
        assert_eq!((done.written, done.blocks), (100, 1));
        let spent = store.meter.read();
        let size = f64::from(kilobytes);
        assert_eq!(
            spent["UpdateItem"],
            cost(100, 100.0 * (size + 1.0)),
            "positions"
        );
        assert_eq!(spent["PutItem"].requests, 1, "one swap");
        assert!(spent["PutItem"].units <= 20.0, "{spent:?}: the state");
        let reads = [&spent["GetItem"], &spent["BatchGetItem"]];
        let units: f64 = reads.iter().map(|read| read.units).sum();
        assert!(
            units <= 100.0 * ((size / 4.0).ceil() + 1.0),
            "{spent:?}: candidates"
        );
        let requests: u64 = spent.values().map(|cost| cost.requests).sum();
        assert!(requests <= 110, "{spent:?}");
    }
}

/// S + 3 write units for a changeset, its entries in the indexes included, and 1 more for a client's
/// key: 1 less than a commit and its position. At most 0.2 for the records and the state. 1 read unit for
/// each stream that goes on.
#[tokio::test]
async fn an_imported_changeset_is_written_once() {
    let store = metered().await;
    let storage = &store.storage;
    storage.begin_import().await.unwrap();
    let made = |id: u64, keyed: bool| {
        let one = |(position, stream): (u64, usize)| {
            let changeset = importing::changeset((id - 1) * 100 + position, &name(stream), id);
            Changeset {
                commit_id: if keyed {
                    changeset.commit_id
                } else {
                    CommitId::generate()
                },
                ..changeset
            }
        };
        importing::page((0..).zip(0..100).map(one).collect())
    };
    for (id, keyed) in [(1, false), (2, true)] {
        let page = made(id, keyed);
        store.meter.read();
        importing::imported(storage, (id - 1) * 100, &page).await;
        let spent = store.meter.read();
        let changesets = if keyed { 500.0 } else { 400.0 };
        let Cost { requests, units } = spent["PutItem"];
        let wanted = if keyed { 202 } else { 102 };
        assert_eq!(requests, wanted, "{spent:?}");
        assert!(
            (changesets..=changesets + 20.0).contains(&units),
            "{spent:?}"
        );
        let read = spent.get("BatchGetItem").map_or(0.0, |read| read.units);
        assert!(read <= 100.0, "{spent:?}");
        let reads = spent["GetItem"].requests;
        assert!(reads <= 3, "{spent:?}");
    }
}

/// An acknowledgement is one write, of one unit, while nothing is parked.
#[tokio::test]
async fn an_acknowledgement_writes_one_unit() {
    let store = metered().await;
    let mut indexer = Indexer::new(Arc::clone(&store.storage) as Arc<dyn Index>);
    for stream in 0..100 {
        commit(&store.storage, &name(stream), 0, 1).await;
    }
    indexer.index(keys(1)).await.unwrap();
    let events = EventStore::new(Arc::clone(&store.storage));
    let consumers = events
        .with_consumers(Arc::clone(&store.storage) as _)
        .consumers()
        .unwrap();
    let billing = "billing".parse().unwrap();
    let definition = ConsumerDefinition::default();
    consumers.define(&billing, &definition).await.unwrap();
    let claim = Claim::new("w").limit(10);
    let claimed = consumers
        .claim(&billing, claim, Duration::ZERO)
        .await
        .unwrap();
    let mut batch = claimed.unwrap();
    for next in [Some(10), None] {
        store.meter.read();
        let ack = Ack {
            generation: batch.generation,
            checkpoint: batch.next,
            failed: Vec::new(),
        };
        let acked = consumers
            .acknowledge(&billing, 0, &ack, next)
            .await
            .unwrap();
        assert_eq!(acked.delivery.is_some(), next.is_some());
        batch = acked.delivery.unwrap_or(batch);
        let spent = store.meter.read();
        assert_eq!(spent["PutItem"], cost(1, 1.0), "{spent:?}");
        let written = spent
            .keys()
            .filter(|call| call.contains("Write") || call.contains("Update"));
        assert_eq!(written.count(), 0, "{spent:?}");
    }
}

/// What the worker wrote itself it does not read again: no read units for predecessors.
#[tokio::test]
async fn predecessors_are_remembered() {
    let store = metered().await;
    let mut indexer = Indexer::new(Arc::clone(&store.storage) as Arc<dyn Index>);
    for id in 1..=2 {
        for stream in 0..100 {
            commit(&store.storage, &name(stream), id - 1, 10).await;
        }
        store.meter.read();
        indexer.index(keys(id)).await.unwrap();
        let spent = store.meter.read();
        let Cost { requests, units } = spent["BatchGetItem"];
        assert!(requests <= 2, "{spent:?}");
        assert!(
            (299.9..300.1).contains(&units),
            "{units}: 3 for a candidate of 10 KB"
        );
    }
}

/// By numbers: the changesets are read, and nothing else but keys.
#[tokio::test]
async fn a_range_of_events_costs_two_key_reads_more() {
    let store = metered().await;
    for last in 0..20 {
        commit(&store.storage, "s", last, 10).await;
    }
    store.meter.read();
    let query = |range| StreamQuery::all("s".parse().unwrap()).range(range);
    let found = |changesets: Vec<Changeset>| changesets.len();
    let by_id = query(StreamRange::Changesets(5..=8));
    let page = store.storage.read_stream(&by_id).await.unwrap();
    assert_eq!(found(page.items), 4);
    assert_eq!(store.meter.read(), costs([("Query", cost(1, 10.0))]));
    let by_event = query(StreamRange::Events(5..=8));
    let page = store.storage.read_stream(&by_event).await.unwrap();
    assert_eq!(found(page.items), 4);
    assert_eq!(store.meter.read(), costs([("Query", cost(3, 12.0))]));
}
