//! The store's id: the header `EES-Store`, and the parameter `store` of reads of the global order.

use crate::HttpHarness;
use crate::subject::{Remote, unique};
use crate::wire::schema::Description;
use crate::wire::{
    accepted, all_calls, append, assert_fields, error, global_calls, path, refused, store_id,
};

/// The id of a store that is none of those under test.
const STRANGER: &str = "0f3c9a52-7d1e-4b68-9c05-2a6f81d3b7e4";

async fn id(remote: &Remote) -> String {
    let response = remote.get("/version").await;
    accepted(&response);
    store_id(&response)
}

/// Every answer has the store's id, errors included, and it is one id.
pub async fn every_answer_tells_it(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let id = id(&remote).await;
    let stream = path(&unique("identity"));
    for call in all_calls(&stream) {
        for query in ["", "pp=true", "details=maybe"] {
            let response = call.send(&remote, query).await;
            assert_eq!(store_id(&response), id, "G6: {} {query}", call.path);
        }
    }
    let nowhere = remote.get("/nowhere").await;
    error(&nowhere, "INVALID_ENDPOINT");
    assert_eq!(store_id(&nowhere), id, "G6: also where there is nothing");
}

/// A reader of this store names it and is answered. The id of another one is refused, and the answer
/// tells both and the head.
pub async fn another_store_is_refused(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let description = Description::of(&remote).await;
    append(&remote, &unique("identity"), 0, r#"{"events":[1]}"#).await;
    harness.settle().await;
    let id = id(&remote).await;
    for call in global_calls() {
        for query in [
            format!("store={id}"),
            format!("store={id}&wait=20"),
            "store=".to_owned(),
        ] {
            accepted(&call.send(&remote, &query).await);
        }
        for query in ["", "&wait=20", "&checkpoint=head"] {
            let response = call
                .send(&remote, &format!("store={STRANGER}{query}"))
                .await;
            let body = error(&response, "OTHER_STORE");
            description.assert_describes(&call, &response);
            assert_fields(&body, &["error", "message", "store", "asked", "head"]);
            assert_eq!(body["store"], id, "G6: {body}");
            assert_eq!(body["asked"], STRANGER, "G6: {body}");
            assert!(body["head"].as_u64() > Some(0), "G6: {body}");
        }
    }
}

/// Whether the store is another one is told before whether the checkpoint is beyond the head, and
/// after the parameters were checked.
pub async fn it_is_checked_before_the_checkpoint(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let far = 1_u64 << 60;
    let id = id(&remote).await;
    for call in global_calls() {
        let query = format!("checkpoint={far}&store={STRANGER}");
        error(&call.send(&remote, &query).await, "OTHER_STORE");
        let query = format!("checkpoint={far}&store={id}");
        error(&call.send(&remote, &query).await, "CHECKPOINT_BEYOND_HEAD");
        let query = format!("limit=0&store={STRANGER}");
        error(&call.send(&remote, &query).await, "INVALID_LIMIT");
    }
}

/// A text that is no id is refused; the message names it.
pub async fn what_is_no_id_is_refused(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    for call in global_calls() {
        for bad in ["mine", "0f3c9a52", "null", "*"] {
            let response = call.send(&remote, &format!("store={bad}")).await;
            let message = refused(&response, "INVALID_PARAMETER", None);
            let named = message.contains(&format!("store={bad}"));
            assert!(named, "G12: `{message}` names `{bad}`");
        }
    }
}

/// A durable store keeps its id; another one begins again as another store.
pub async fn it_survives_a_restart(harness: &mut dyn HttpHarness) {
    let before = id(&harness.remote()).await;
    harness.restart().await;
    let after = id(&harness.remote()).await;
    let is_kept = after == before;
    assert_eq!(
        is_kept,
        harness.capabilities().durable,
        "G6: {before}, {after}"
    );
}
