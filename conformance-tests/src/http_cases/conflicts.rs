//! The body of a conflict.

use serde_json::{Value, json};

use crate::HttpHarness;
use crate::subject::{Remote, unique};
use crate::wire::paging::{LIMIT, large_stream};
use crate::wire::{BODY, accepted, append, assert_fields, error, path};

const CONFLICT: &str = "OPTIMISTIC_CONCURRENCY_EXCEPTION";

/// A commit that must be a conflict; its body.
async fn conflict(remote: &Remote, stream: &str, query: &str) -> Value {
    let response = remote
        .post(&format!("{}?{query}", path(stream)), BODY)
        .await;
    assert!(response.body.len() <= LIMIT, "G2: a body of at most 4 MB");
    error(&response, CONFLICT)
}

/// Every changeset that holds something after the expectation.
pub async fn tell_what_came_after_the_expectation<H: HttpHarness>(harness: &mut H) {
    let remote = harness.remote();
    let stream = unique("conflicts");
    append(&remote, &stream, 0, r#"{"events":[1,2],"metadata":null}"#).await;
    append(&remote, &stream, 1, r#"{"events":[3]}"#).await;
    let first = json!({"changeset_id": 1, "events": [1, 2], "metadata": null});
    let second = json!({"changeset_id": 2, "events": [3], "metadata": {}});
    for (query, expected) in [
        ("", vec![&first, &second]),
        ("expected_last_event=0", vec![&first, &second]),
        ("expected_last_event=1", vec![&first, &second]),
        ("expected_last_changeset=1", vec![&second]),
        ("expected_last_event=2", vec![&second]),
    ] {
        let body = conflict(&remote, &stream, query).await;
        let fields = ["error", "message", "stream_id", "forthcoming_changesets"];
        assert_fields(&body, &fields);
        assert_eq!(body["stream_id"], stream, "G2: {query}");
        assert_eq!(
            body["forthcoming_changesets"],
            json!(expected),
            "G2: {query}"
        );
    }
}

/// The same details as a stream's reader gets.
pub async fn tell_details_where_asked<H: HttpHarness>(harness: &mut H) {
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

/// Changesets that do not fit into the body are read with GET, from `next`.
pub async fn that_fit_into_no_body_go_on_elsewhere<H: HttpHarness>(harness: &mut H) {
    let remote = harness.remote();
    let stream = unique("conflicts");
    let count = large_stream(&remote, &stream).await;
    for (query, after) in [
        ("", 0),
        ("expected_last_changeset=2&pp=true&details=true", 2),
    ] {
        let mut page = conflict(&remote, &stream, query).await;
        assert!(page["next"].is_u64(), "G5: more remains");
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
