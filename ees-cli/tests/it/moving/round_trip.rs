//! From each storage to the next one and back, under writers: the same root, the same answers.

use std::time::Duration;

use ees_core::consumer::{Ack, Claim, ConsumerDefinition, Failure};
use ees_core::{
    Changeset, Checkpoint, Error, EventStore, Events, Expectation, Filter, NewChangeset, NewSet,
    PageLimit, Projector, StorageError, StreamQuery,
};
use ees_dynamodb_testkit::Emulator;
use ees_evidence::{Copy, Until, Verification};
use ees_postgres_testkit::Database;
use ees_storage::{OpenStore, open};
use tempfile::TempDir;

use super::damage_elsewhere::movable;
use super::ok;
use crate::process::{dynamodb, sqlite};

/// A store with payloads of several kinds, a set, a client's key, and readers.
async fn fill(opened: &OpenStore) {
    let store = &opened.store;
    let payloads = [
        "[1]",
        "[{\n \"type\": \"a\",\r\n \"n\": 1.10}]",
        "[\"\u{2028}\", 1e400]",
    ];
    for number in 0..40_usize {
        let stream = format!("s-{}", number % 7).parse().expect("a stream");
        let events = Events::parse(payloads[number % 3]).expect("events");
        let expected = Expectation::LastChangeset((number / 7) as u64);
        let asked = NewChangeset::new(stream, expected, events);
        let key = format!("key {number}").parse().expect("a key");
        let asked = if number % 2 == 0 {
            asked.with_idempotency_key(key)
        } else {
            asked
        };
        store.commit(asked).await.expect("a commit");
    }
    let one = |stream: &str| {
        let events = Events::parse("[{\"type\":\"b\"}]").expect("events");
        NewChangeset::new(
            stream.parse().expect("a stream"),
            Expectation::NEW_STREAM,
            events,
        )
    };
    let set = NewSet::default().commit(one("t-1")).commit(one("t-2"));
    store.commit_all(set).await.expect("a set");
    let saved = opened
        .checkpoints
        .save_checkpoint("view", Checkpoint::FIRST.plus(12));
    saved.await.expect("a checkpoint");
    let consumers = store.consumers().expect("consumers");
    let definition = ConsumerDefinition {
        retry_seconds: vec![],
        ..ConsumerDefinition::default()
    };
    let name = "billing".parse().expect("a name");
    consumers
        .define(&name, &definition)
        .await
        .expect("a consumer");
    let claimed = consumers
        .claim(&name, Claim::new("w").limit(5), Duration::ZERO)
        .await;
    let batch = claimed.expect("a claim").expect("a batch");
    let first = &batch.changesets[0];
    let ack = Ack {
        generation: batch.generation,
        checkpoint: batch.next,
        failed: vec![Failure {
            stream_id: first.stream_id.clone(),
            changeset_id: first.changeset_id,
            error: "no".to_owned(),
        }],
    };
    let acknowledged = consumers
        .acknowledge(&name, batch.partition, &ack, None)
        .await;
    acknowledged.expect("an acknowledgement");
}

/// Everything that readers get of a store.
#[derive(Debug, PartialEq)]
struct Answers {
    order: Vec<Changeset>,
    filtered: Vec<Changeset>,
    backward: Vec<Changeset>,
    streams: Vec<Vec<Changeset>>,
    statistics: ees_core::Statistics,
    view: Option<Checkpoint>,
    parked: Vec<String>,
}

async fn order(store: &EventStore) -> Vec<Changeset> {
    let mut from = Checkpoint::FIRST;
    let mut all = Vec::new();
    loop {
        let limit = PageLimit::items(17);
        let page = store.poll_changesets(from, limit).await.expect("a page");
        if page.next == from {
            return all;
        }
        all.extend(page.changesets);
        from = page.next;
    }
}

async fn answers(opened: &OpenStore) -> Answers {
    let store = &opened.store;
    let order_of_all = order(store).await;
    let filter = Filter::default().stream_prefix("s-1").event_type("a");
    let mut streams = Vec::new();
    for stream in ["s-0", "s-6", "t-2", "w-0", "none"] {
        let query = StreamQuery::all(stream.parse().expect("a stream"));
        streams.push(match store.changesets(&query).await {
            Err(Error::StreamNotFound { .. }) => Vec::new(),
            page => page.expect("a page").items,
        });
    }
    let query = StreamQuery::all("s-0".parse().expect("a stream"))
        .events(2..)
        .backward();
    let backward = store.changesets(&query).await.expect("a page").items;
    Projector::new(store).catch_up().await.expect("counts");
    let consumers = store.consumers().expect("consumers");
    let name = "billing".parse().expect("a name");
    let parked = consumers.parked(&name, None, 10).await.expect("parked");
    Answers {
        filtered: order(&store.with_filter(filter)).await,
        order: order_of_all,
        backward,
        streams,
        statistics: store.statistics().await.expect("counts"),
        view: opened
            .checkpoints
            .load_checkpoint("view")
            .await
            .expect("a checkpoint"),
        parked: parked.items.iter().map(|one| format!("{one:?}")).collect(),
    }
}

/// Commits until the store has moved; how many were acknowledged.
async fn write_until_fenced(store: EventStore, writer: u64) -> u64 {
    let stream: ees_core::StreamId = format!("w-{writer}").parse().expect("a stream");
    for number in 0.. {
        let events = Events::of(&[number]).expect("events");
        let expected = Expectation::LastChangeset(number);
        let asked = NewChangeset::new(stream.clone(), expected, events);
        match store.commit(asked).await {
            Ok(_) => tokio::time::sleep(Duration::from_millis(2)).await,
            Err(Error::Storage(StorageError::Fenced { .. })) => return number,
            Err(error) => panic!("{error}"),
        }
    }
    unreachable!("a writer does not end")
}

/// G14: SQLite, PostgreSQL, DynamoDB, memory and SQLite again.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_goes_around_and_comes_back() {
    let folder = TempDir::new().expect("a folder");
    let database = Database::fresh().expect("PostgreSQL");
    let emulator = Emulator::start().expect("DynamoDB");
    let table = dynamodb(&emulator);
    ok(&["admin", "--storage", &table, "create-tables"]);
    let urls = [
        sqlite(&folder.path().join("a.db")),
        format!("{}?allow_fsync_off=true", database.url()),
        table,
        "memory:".to_owned(),
        sqlite(&folder.path().join("b.db")),
    ];
    let mut source = open(&urls[0]).await.expect("a store");
    fill(&source).await;
    let writers: Vec<_> = (0..2)
        .map(|writer| tokio::spawn(write_until_fenced(source.store.clone(), writer)))
        .collect();
    let mut root = None;
    let mut ids = Vec::new();
    let mut writers = Some(writers);
    for url in &urls[1..] {
        let target = open(url).await.expect("a store");
        let until = match (&writers, source.fence.clone()) {
            (Some(_), Some(fence)) => Until::Fencing(fence, "there".to_owned()),
            _ => Until::Now,
        };
        let copy = Copy::new(&movable(&source), &movable(&target), until);
        let copied = copy.run(|_, _| {}).await;
        let copied = copied.unwrap_or_else(|error| panic!("{url}: {error}"));
        let mut expected = 42;
        for writer in writers.take().unwrap_or_default() {
            expected += writer.await.expect("a writer");
        }
        let root = root.get_or_insert_with(|| copied.root.clone());
        assert_eq!(*root, copied.root, "{url}");
        assert!(copied.size >= expected, "{url}");
        assert_eq!(copied.progress.kept_count, 0, "{url}");
        assert_eq!(answers(&target).await, answers(&source).await, "{url}");
        let verified = Verification::new(&target.store).run(|_, _| {}).await;
        let verified = verified.expect("it is verified");
        assert_eq!(verified.findings, [], "{url}");
        assert_eq!(verified.root.to_string(), *root, "{url}");
        ids.push(source.store.identity().await.expect("an id").id);
        let identity = target.store.identity().await.expect("an id");
        for id in &ids {
            let below = Some(Checkpoint::FIRST.plus(copied.size));
            assert_eq!(identity.same_below(*id), below, "{url}");
        }
        source.store.close().await;
        source = target;
    }
    // A key stands, and a consumer goes on.
    let events = Events::parse("[1]").expect("events");
    let stream = "s-0".parse().expect("a stream");
    let asked = NewChangeset::new(stream, Expectation::NEW_STREAM, events);
    let asked = asked.with_idempotency_key("key 0".parse().expect("a key"));
    let receipt = source.store.commit(asked).await.expect("a replay");
    assert!(receipt.replayed);
    let consumers = source.store.consumers().expect("consumers");
    let name = "billing".parse().expect("a name");
    let claim = Claim::new("x").limit(1);
    let batch = consumers
        .claim(&name, claim, Duration::ZERO)
        .await
        .expect("a claim");
    assert_eq!(
        batch.expect("a batch").changesets[0].checkpoint,
        Some(Checkpoint::FIRST.plus(5))
    );
    source.store.close().await;
}
