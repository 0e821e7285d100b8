//! Changesets without events, which only the Python original wrote, into a table of DynamoDB.

use std::path::Path;

use ees_core::{Events, Expectation, NewChangeset};
use ees_dynamodb_testkit::Emulator;
use ees_storage::open;
use serde_json::json;
use tempfile::TempDir;

use super::damage_elsewhere::call;
use super::{fails, ok, order};
use crate::process::{Ees, dynamodb, sqlite};

/// A table with streams of the Python original: `a` has no events in the middle, `b` begins without
/// events and goes on as by the original, and `c` as by a server of this project.
async fn original(emulator: &Emulator) -> String {
    let url = dynamodb(emulator);
    ok(&["admin", "--storage", &url, "create-tables"]);
    let opened = open(&url).await.expect("a store");
    for stream in ["a", "b", "c"] {
        for last in 0..3 {
            let events = Events::of(&[last]).expect("events");
            let expected = Expectation::LastChangeset(last);
            let asked = NewChangeset::new(stream.parse().expect("a stream"), expected, events);
            opened.store.commit(asked).await.expect("a commit");
        }
    }
    opened.store.close().await;
    for (stream, id, first, last, events) in [
        ("a", 2, 2, 1, "[]"),
        ("a", 3, 2, 2, "[2]"),
        ("b", 1, 1, 0, "[]"),
        ("b", 2, 1, 0, "[]"),
        ("b", 3, 1, 1, "[2]"),
        ("c", 1, 1, 0, "[]"),
    ] {
        let key = json!({ "stream_id": { "S": stream }, "changeset_id": { "N": id.to_string() } });
        let asked = json!({ "TableName": "ees_db", "Key": key, "ConsistentRead": true });
        let mut item = call(emulator, "GetItem", &asked)["Item"].clone();
        item["first_event_id"] = json!({ "N": first.to_string() });
        item["last_event_id"] = json!({ "N": last.to_string() });
        item["events"] = json!({ "S": events });
        call(
            emulator,
            "PutItem",
            &json!({ "TableName": "ees_db", "Item": item }),
        );
    }
    ok(&["admin", "--storage", &url, "sweep"]);
    url
}

/// A file of the folder.
fn named(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

/// G14, G19: they are read, sealed, exported and verified; a copy of them is refused by name, and a
/// store that was to have it stays as it was.
#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_events_is_verified_and_not_copied() {
    let folder = TempDir::new().expect("a folder");
    let emulator = Emulator::start().expect("DynamoDB");
    let table = original(&emulator).await;
    let said = ok(&["verify", "--storage", &table]);
    assert!(said.contains("as it should be: 9 changesets"), "{said}");

    let server = Ees::serve(&table);
    let all = order(&server);
    let ids: Vec<_> = all
        .iter()
        .filter(|one| one["events"] == json!([]))
        .map(|one| {
            let [stream, first, last] =
                ["stream_id", "first_event_id", "last_event_id"].map(|name| one[name].clone());
            (stream, first, last)
        })
        .collect();
    for (stream, first, last) in [("a", 2, 1), ("b", 1, 1), ("c", 1, 1)] {
        let read = (json!(stream), json!(first), json!(last));
        assert!(ids.contains(&read), "{read:?} of {ids:?}");
    }
    assert_eq!(ids.len(), 4, "{ids:?}");
    crate::evidence::wait_until_sealed(&server, 9);
    let url = format!("http://{}", server.address());
    let said = ok(&["verify", "--url", &url]);
    assert!(said.contains("as it should be: 9 changesets"), "{said}");
    let said = ok(&["verify", "--storage", &table]);
    assert!(said.contains("sealed up to 9"), "{said}");

    let file = named(folder.path(), "a.ees");
    ok(&["export", "--storage", &table, "--out", &file]);
    let target = sqlite(&folder.path().join("a.db"));
    for command in [
        &["import", "--storage", &target, "--in", &file][..],
        &["copy", "--from", &table, "--to", &target],
    ] {
        let errors = fails(command, 1);
        assert!(errors.contains("has no events"), "{errors}");
        assert!(errors.contains("only the Python original"), "{errors}");
        assert!(errors.contains("of stream `"), "{errors}");
    }
    assert_eq!(order(&Ees::serve(&target)), Vec::<serde_json::Value>::new());
}
