//! The same in PostgreSQL's rows and in DynamoDB's items.

use std::sync::Arc;

use ees_core::{EventStore, Events, Expectation, NewChangeset, Projector};
use ees_dynamodb_testkit::Emulator;
use ees_evidence::{Copy, MovableStore, Until, Verification, Verified};
use ees_postgres_testkit::Database;
use ees_storage::{OpenStore, open};
use serde_json::{Value, json};

use super::ok;
use crate::http;
use crate::process::dynamodb;

pub(super) fn movable(store: &OpenStore) -> MovableStore {
    let (checkpoints, import) = (Arc::clone(&store.checkpoints), Arc::clone(&store.import));
    MovableStore::new(&store.store, checkpoints, import)
}

async fn commit(store: &EventStore, number: u64) {
    let stream = format!("s-{number}").parse().expect("a stream");
    let events = Events::parse(&format!("[{number}]")).expect("events");
    let asked = NewChangeset::new(stream, Expectation::NEW_STREAM, events);
    store.commit(asked).await.expect("a commit");
}

/// A sealed store of 300 changesets in a storage.
async fn sealed(url: &str) {
    let source = open("memory:").await.expect("a store");
    for number in 0..300 {
        commit(&source.store, number).await;
    }
    let target = open(url).await.expect("a store");
    let copy = Copy::new(&movable(&source), &movable(&target), Until::Now);
    copy.run(|_, _| {}).await.expect("a copy");
    Projector::new(&target.store)
        .catch_up()
        .await
        .expect("counts");
    target.store.close().await;
}

async fn verified(url: &str) -> Verified {
    let opened = open(url).await.expect("a store");
    let verified = Verification::new(&opened.store).run(|_, _| {}).await;
    opened.store.close().await;
    verified.expect("it can be read")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_changed_row_of_postgresql_is_found() {
    let database = Database::fresh().expect("PostgreSQL");
    let url = format!("{}?allow_fsync_off=true", database.url());
    sealed(&url).await;
    let sql = |text: &str| {
        database
            .sql(text)
            .unwrap_or_else(|error| panic!("{text}: {error}"));
    };
    sql("CREATE TABLE saved AS SELECT * FROM ees.changesets; \
         CREATE TABLE saved_tiles AS SELECT * FROM ees.log_tiles");
    assert_eq!(verified(&url).await.findings, []);
    for (change, is_missing, told) in [
        (
            "UPDATE ees.changesets SET events = '[9]' WHERE checkpoint = 5",
            false,
            "checkpoint 5",
        ),
        (
            "UPDATE ees.changesets SET events = '[ 280]' WHERE checkpoint = 280",
            false,
            "checkpoint 280",
        ),
        (
            "UPDATE ees.changesets SET metadata = '{\"a\":1}' WHERE checkpoint = 6",
            false,
            "checkpoint 6",
        ),
        (
            "UPDATE ees.changesets SET commit_id = 'x' WHERE checkpoint = 7",
            false,
            "checkpoint 7",
        ),
        (
            "UPDATE ees.changesets SET \"timestamp\" = \"timestamp\" - 1 WHERE checkpoint = 8",
            false,
            "checkpoint 8",
        ),
        (
            "UPDATE ees.changesets SET stream_id = 'other' WHERE checkpoint = 9",
            false,
            "checkpoint 9",
        ),
        (
            "UPDATE ees.changesets SET first_event_id = 2, last_event_id = 2 WHERE checkpoint = 10",
            false,
            "checkpoint 10",
        ),
        (
            "DELETE FROM ees.changesets WHERE checkpoint = 11",
            true,
            "checkpoint 11",
        ),
        (
            "DELETE FROM ees.changesets WHERE checkpoint = 299",
            true,
            "the store ends at 299",
        ),
        (
            "UPDATE ees.log_tiles SET hashes = set_byte(hashes, 40, 255 - get_byte(hashes, 40))",
            false,
            "checkpoint 1",
        ),
        ("DELETE FROM ees.log_tiles", true, "tile 0 of level 0"),
    ] {
        sql(change);
        let found = verified(&url).await;
        assert_eq!(
            (found.is_missing(), found.is_altered()),
            (is_missing, !is_missing),
            "{change}: {:?}",
            found.findings
        );
        let first = found.findings[0].to_string();
        assert!(first.contains(told), "{change}: {first}");
        sql(
            "DELETE FROM ees.changesets; INSERT INTO ees.changesets SELECT * FROM saved; \
             DELETE FROM ees.log_tiles; INSERT INTO ees.log_tiles SELECT * FROM saved_tiles",
        );
    }
    assert_eq!(verified(&url).await.findings, []);
}

/// Calls the emulator; what it answers.
pub(super) fn call(emulator: &Emulator, action: &str, body: &Value) -> Value {
    let address = emulator.endpoint().trim_start_matches("http://");
    let headers = format!(
        "X-Amz-Target: DynamoDB_20120810.{action}\r\nContent-Type: application/x-amz-json-1.0\r\n\
         X-Amz-Date: 20270101T000000Z\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=a/20270101/us-east-1/dynamodb/aws4_request, \
         SignedHeaders=host, Signature=a\r\n"
    );
    let stream = http::send(address, "POST", "/", &headers, &body.to_string());
    let answer = http::receive(stream.expect("a connection")).expect("an answer");
    assert_eq!(answer.status, 200, "{action}: {}", answer.body);
    serde_json::from_str(&answer.body).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_changed_item_of_dynamodb_is_found() {
    let emulator = Emulator::start().expect("DynamoDB");
    let url = dynamodb(&emulator);
    ok(&["admin", "--storage", &url, "create-tables"]);
    sealed(&url).await;
    assert_eq!(verified(&url).await.findings, []);
    let key = |number: u64| {
        json!({
            "stream_id": { "S": format!("s-{number}") },
            "changeset_id": { "N": "1" },
        })
    };
    let item = |number: u64| {
        let found = call(
            &emulator,
            "GetItem",
            &json!({ "TableName": "ees_db", "Key": key(number) }),
        );
        found["Item"].clone()
    };
    let put = |item: &Value| {
        call(
            &emulator,
            "PutItem",
            &json!({ "TableName": "ees_db", "Item": item }),
        );
    };
    for (number, member) in [
        (5, "events"),
        (280, "metadata"),
        (6, "commit_id"),
        (7, "timestamp"),
    ] {
        let sound = item(number);
        let mut changed = sound.clone();
        let value = changed[member].as_object_mut().expect("a value");
        let (_, text) = value.iter_mut().next().expect("a value");
        let other = match (member, text.as_str().expect("a text")) {
            ("events", _) => "[9]".to_owned(),
            ("metadata", _) => "{\"a\":1}".to_owned(),
            ("timestamp", time) => time.replacen("20", "21", 1),
            (_, text) => format!("{text}x"),
        };
        *text = other.into();
        assert_ne!(changed, sound, "{member}");
        put(&changed);
        let found = verified(&url).await;
        assert!(found.is_altered(), "{member}: {found:?}");
        let first = found.findings[0].to_string();
        assert!(
            first.contains(&format!("checkpoint {number}")),
            "{member}: {first}"
        );
        put(&sound);
    }
    call(
        &emulator,
        "DeleteItem",
        &json!({ "TableName": "ees_db", "Key": key(8) }),
    );
    let found = verified(&url).await;
    assert!(found.is_missing(), "{found:?}");
    let first = found.findings[0].to_string();
    assert!(first.contains("checkpoint 8"), "{first}");
}
