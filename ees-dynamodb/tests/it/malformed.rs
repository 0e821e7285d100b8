//! Items that are no changesets: each is reported with its key, and stops nothing else.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use ees_core::adapter::{Entry, Index, Storage};
use ees_core::indexer::Indexer;
use ees_core::{Checkpoint, PageLimit, StorageError, StreamQuery};
use ees_dynamodb::{DynamoConfig, DynamoStorage};
use ees_dynamodb_testkit::Emulator;

use crate::order::key;
use crate::store::{commit, config, create, open, sdk};

async fn store() -> (Emulator, DynamoConfig, Arc<DynamoStorage>) {
    let emulator = Emulator::start().expect("an emulator");
    let config = config(emulator.endpoint());
    create(&config).await;
    let storage = open(&config).await;
    (emulator, config, storage)
}

/// Sets an attribute by hand, and makes the item if it is missing.
async fn set(config: &DynamoConfig, stream: &str, id: &str, name: &str, value: AttributeValue) {
    let client = Client::new(&sdk(config).await);
    let update = client
        .update_item()
        .table_name(&config.events_table)
        .key("stream_id", AttributeValue::S(stream.to_owned()))
        .key("changeset_id", AttributeValue::N(id.to_owned()))
        .update_expression("SET #name = :value")
        .expression_attribute_names("#name", name)
        .expression_attribute_values(":value", value);
    update.send().await.unwrap();
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

/// The corruption that an answer tells of.
fn corruption<T: std::fmt::Debug>(answer: Result<T, StorageError>) -> String {
    match answer {
        Err(StorageError::Corrupt(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_malformed_changeset_holds_back_its_own_stream_only() {
    let (_emulator, config, storage) = store().await;
    for last in 0..3 {
        commit(&storage, "bad", last).await;
        commit(&storage, "good", last).await;
    }
    set(&config, "bad", "2", "timestamp", text("yesterday")).await;
    let found = storage.look_up(&[key("bad", 2)]).await.unwrap();
    let [Entry::Malformed(reason)] = &found[..] else {
        panic!("{found:?}");
    };
    assert!(reason.contains("RFC 3339"), "{reason}");
    let mut indexer = Indexer::new(Arc::clone(&storage) as Arc<dyn Index>);
    let swept = indexer.sweep_page(None).await.unwrap();
    assert_eq!(
        swept.done.written, 4,
        "G8: all of one stream, the first of the other"
    );
    let refused = &swept.done.refused;
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(refused[0].key, key("bad", 2));
    let all = |stream: &str| StreamQuery::all(stream.parse().unwrap());
    let reason = corruption(storage.read_stream(&all("bad")).await);
    assert!(reason.contains("changeset 2 of stream `bad`"), "{reason}");
    storage.read_stream(&all("good")).await.unwrap();
    let order = storage
        .read_global(Checkpoint::FIRST, PageLimit::default())
        .await
        .unwrap();
    assert_eq!(order.changesets.len(), 4);
}

#[tokio::test]
async fn each_attribute_that_cannot_be_read_is_named() {
    let (_emulator, config, storage) = store().await;
    let number = |digits: &str| AttributeValue::N(digits.to_owned());
    for (stream, name, value, said) in [
        (
            "e",
            "events",
            AttributeValue::Bool(true),
            "`events` should be a string",
        ),
        ("m", "metadata", number("7"), "but is the number 7"),
        ("t", "timestamp", text("now"), "timestamp"),
        ("c", "commit_id", text("é"), "idempotency key"),
        ("s", "set_mark", text("1/2"), "the mark of a set"),
        ("p", "page", number("1"), "`page_item` should be an integer"),
        ("l", "last_event_id", number("-3"), "but is the number -3"),
        (
            "f",
            "first_event_id",
            number("9"),
            "its events have ids from 9 to 1",
        ),
    ] {
        commit(&storage, stream, 0).await;
        set(&config, stream, "1", name, value).await;
        let all = StreamQuery::all(stream.parse().unwrap());
        let reason = corruption(storage.read_stream(&all).await);
        let item = format!("changeset 1 of stream `{stream}`");
        assert!(reason.contains(&item) && reason.contains(said), "{reason}");
    }
}

/// What the Python original makes of a position for a changeset that is not there.
#[tokio::test]
async fn a_ghost_gets_no_position_and_stops_no_sweep() {
    let (_emulator, config, storage) = store().await;
    commit(&storage, "s", 0).await;
    set(&config, "ghost", "7", "note", text("boo")).await;
    set(
        &config,
        &"x".repeat(1500),
        "1",
        "note",
        text("a key that no stream has"),
    )
    .await;
    let mut indexer = Indexer::new(Arc::clone(&storage) as Arc<dyn Index>);
    let swept = indexer.sweep_page(None).await.unwrap();
    assert_eq!(
        (swept.found, swept.malformed, swept.done.written),
        (1, 2, 1)
    );
    let done = indexer.index([key("ghost", 7)]).await.unwrap();
    assert_eq!((done.written, done.refused.len()), (0, 1), "{done:?}");
}

/// A position that somebody wrote by hand is told with its changeset, not passed in silence.
#[tokio::test]
async fn a_malformed_changeset_in_the_order_is_told() {
    let (_emulator, config, storage) = store().await;
    for last in 0..3 {
        commit(&storage, "s", last).await;
    }
    let mut indexer = Indexer::new(Arc::clone(&storage) as Arc<dyn Index>);
    indexer.sweep_page(None).await.unwrap();
    set(&config, "s", "2", "metadata", AttributeValue::Bool(false)).await;
    let before = storage
        .read_global(Checkpoint::FIRST, PageLimit::items(1))
        .await;
    assert_eq!(before.unwrap().changesets.len(), 1);
    let at = Checkpoint::new(1).unwrap();
    let reason = corruption(storage.read_global(at, PageLimit::items(1)).await);
    assert!(reason.contains("changeset 2 of stream `s`"), "{reason}");
    let behind = storage.read_global(at.plus(1), PageLimit::items(1)).await;
    assert_eq!(behind.unwrap().changesets.len(), 1);
}
