//! The body of a conflict.

use serde_json::{Value, json};

use crate::HttpHarness;
use crate::subject::{Remote, unique};
use crate::wire::paging::large_stream;
use crate::wire::{BODY, accepted, append, assert_fields, error, path};

const CONFLICT: &str = "OPTIMISTIC_CONCURRENCY_EXCEPTION";

/// What every conflict tells.
const VERDICT: [&str; 5] = [
    "error",
    "message",
    "stream_id",
    "last_changeset",
    "last_event",
];

/// The end of the stream, as a conflict tells it.
fn assert_end(body: &Value, changeset: u64, event: u64) {
    let told = (&body["last_changeset"], &body["last_event"]);
    assert_eq!(told, (&json!(changeset), &json!(event)), "G2: {body}");
}

/// A commit that must be a conflict; its body.
async fn conflict(remote: &Remote, stream: &str, query: &str) -> Value {
    let response = remote
        .post(&format!("{}?{query}", path(stream)), BODY)
        .await;
    assert!(response.body.len() < 512 * 1024, "G2: a body is bounded");
    error(&response, CONFLICT)
}

/// Every changeset that holds something after the expectation.
pub async fn tell_what_came_after_the_expectation(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("conflicts");
    append(&remote, &stream, 0, r#"{"events":[1,2],"metadata":null}"#).await;
    append(&remote, &stream, 1, r#"{"events":[3]}"#).await;
    let first = json!({
        "changeset_id": 1, "events": [1, 2], "metadata": null,
        "first_event_id": 1, "last_event_id": 2,
    });
    let second = json!({
        "changeset_id": 2, "events": [3], "metadata": {},
        "first_event_id": 3, "last_event_id": 3,
    });
    for (query, expected) in [
        ("", vec![&first, &second]),
        ("expected_last_event=0", vec![&first, &second]),
        ("expected_last_event=1", vec![&first, &second]),
        ("expected_last_changeset=1", vec![&second]),
        ("expected_last_event=2", vec![&second]),
    ] {
        let body = conflict(&remote, &stream, query).await;
        assert_fields(&body, &[&VERDICT[..], &["forthcoming_changesets"]].concat());
        assert_end(&body, 2, 3);
        let message = body["message"].as_str().unwrap_or_default();
        let next = if query.contains("event") {
            "`expected_last_event=3`"
        } else {
            "`expected_last_changeset=2`"
        };
        assert!(message.contains(next), "G12: `{message}` says what to send");
        assert_eq!(body["stream_id"], stream, "G2: {query}");
        assert_eq!(
            body["forthcoming_changesets"],
            json!(expected),
            "G2: {query}"
        );
    }
}

/// The same details as a stream's reader gets.
pub async fn tell_details_where_asked(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("conflicts");
    append(&remote, &stream, 0, BODY).await;
    append(&remote, &stream, 1, BODY).await;
    harness.settle().await;
    let body = conflict(&remote, &stream, "details=true").await;
    let read = format!("{}/changesets?details=true", path(&stream));
    let read = accepted(&remote.get(&read).await);
    assert_eq!(body["forthcoming_changesets"], read["changesets"], "G2");
}

/// `forthcoming` limits the list; with 0 there is none, and no `next`.
pub async fn list_no_more_than_was_asked_for(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("conflicts");
    for last in 0..3 {
        append(&remote, &stream, last, BODY).await;
    }
    let verdict = conflict(&remote, &stream, "forthcoming=0").await;
    assert_fields(&verdict, &VERDICT);
    assert_end(&verdict, 3, 3);
    for (query, count, next) in [
        ("forthcoming=1", 1, Some(2)),
        ("forthcoming=2&expected_last_event=1", 2, None),
        ("forthcoming=3", 3, None),
        ("forthcoming=9223372036854775807", 3, None),
        ("forthcoming=", 3, None),
    ] {
        let body = conflict(&remote, &stream, query).await;
        let told = body["forthcoming_changesets"].as_array().map(Vec::len);
        assert_eq!(
            (told, body["next"].as_u64()),
            (Some(count), next),
            "G2: {query}"
        );
        assert_end(&body, 3, 3);
    }
}

/// The list ends at 100 changesets or before 256 KiB; the rest is read with GET, from `next`.
pub async fn that_list_not_all_go_on_elsewhere(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("conflicts");
    let count = large_stream(&remote, &stream).await;
    for (query, after) in [
        ("", 0),
        ("expected_last_changeset=2&pp=true&details=true", 2),
    ] {
        let mut page = conflict(&remote, &stream, query).await;
        assert!(page["next"].is_u64(), "G5: more remains");
        assert_eq!(page["last_changeset"], count, "G2: the stream's end");
        let mut told = Vec::new();
        loop {
            let items = page
                .get("forthcoming_changesets")
                .unwrap_or(&page["changesets"]);
            let items = items.as_array().expect("changesets").iter();
            told.extend(items.filter_map(|item| item["changeset_id"].as_u64()));
            let Some(next) = page["next"].as_u64() else {
                break;
            };
            let read = format!("{}/changesets?from={next}", path(&stream));
            page = accepted(&remote.get(&read).await);
        }
        let all: Vec<u64> = (after + 1..=count).collect();
        assert_eq!(
            told, all,
            "G2: the conflict and the pages behind it are complete"
        );
    }
}
