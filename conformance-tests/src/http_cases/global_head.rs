//! The head of the global order, and checkpoints beyond it.

use serde_json::Value;

use crate::HttpHarness;
use crate::wire::schema::Description;
use crate::wire::{accepted, assert_fields, end_of_log, error, global_calls};

/// At the head a page is empty, and its next checkpoint is the requested one. With details it tells
/// the head.
pub async fn an_empty_page_ends_there(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let description = Description::of(&remote).await;
    for (call, name) in global_calls().iter().zip(["changesets", "events"]) {
        for query in ["checkpoint=head", "checkpoint=head&details=true"] {
            let response = call.send(&remote, query).await;
            let page = accepted(&response);
            description.assert_describes(call, &response);
            let begin = &page["checkpoint"];
            // Others may commit while the head is read.
            if page[name].as_array().is_some_and(Vec::is_empty) {
                assert_eq!(&page["next_checkpoint"], begin, "G6: {page}");
            }
            let mut fields = vec!["checkpoint", "limit", name, "next_checkpoint"];
            if query.ends_with("true") {
                fields.push("head");
                assert_fields(&page, &fields);
                assert!(page["head"].as_u64() >= changeset_of(begin), "G6: {page}");
            } else {
                assert_fields(&page, &fields);
            }
        }
    }
}

/// A checkpoint beyond the head is refused, and the refusal tells the head.
pub async fn a_checkpoint_beyond_it_is_refused(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let far = 1_u64 << 60;
    for call in global_calls() {
        for wait in ["", "&wait=20"] {
            let before = end_of_log(&remote).await;
            let response = call.send(&remote, &format!("checkpoint={far}{wait}")).await;
            let body = error(&response, "CHECKPOINT_BEYOND_HEAD");
            let after = end_of_log(&remote).await;
            assert_fields(&body, &["error", "message", "head"]);
            let head = body["head"].as_u64().expect("a head");
            assert!((before..=after).contains(&head), "G6: {body}");
            let message = body["message"].as_str().unwrap_or_default();
            for number in [far, head] {
                let number = number.to_string();
                assert!(message.contains(&number), "G12: `{message}` names {number}");
            }
        }
    }
    let [_, events] = global_calls();
    let head = end_of_log(&remote).await;
    // Whatever is committed there meanwhile has its first event at index 0.
    let response = events.send(&remote, &format!("checkpoint={head}.7")).await;
    if response.status != 200 {
        error(&response, "CHECKPOINT_BEYOND_HEAD");
    }
}

/// The changeset's part of a checkpoint.
fn changeset_of(checkpoint: &Value) -> Option<u64> {
    let text = checkpoint.as_str().and_then(|text| text.split('.').next());
    text.map_or(checkpoint.as_u64(), |text| text.parse().ok())
}
