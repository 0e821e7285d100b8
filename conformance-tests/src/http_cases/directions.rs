//! `direction=backward`.

use crate::HttpHarness;
use crate::subject::unique;
use crate::wire::{
    BODY, accepted, append, changesets_call, events_call, global_calls, path, position, refused,
};

/// Only a read that goes forward can wait.
pub async fn a_read_backward_does_not_wait(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("directions");
    append(&remote, &stream, 0, BODY).await;
    append(&remote, &stream, 1, BODY).await;
    let mut calls = Vec::from(global_calls());
    calls.extend([changesets_call(&path(&stream)), events_call(&path(&stream))]);
    for call in calls {
        let query = "direction=backward&wait=1";
        let response = call.send(&remote, query).await;
        let named = call.has_stream().then_some(&*stream);
        let message = refused(&response, "INVALID_PARAMETER", named);
        assert!(message.contains("`wait`"), "G12: `{message}` names `wait`");
        accepted(&call.send(&remote, "direction=backward&wait=0").await);
    }
}

/// Backward, a read of the global order begins at the head unless it names a checkpoint.
pub async fn a_read_backward_begins_at_the_head(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("directions");
    append(&remote, &stream, 0, BODY).await;
    append(&remote, &stream, 1, BODY).await;
    harness.settle().await;
    let last = position(&remote, &stream, 2).await;
    for (call, name) in global_calls().iter().zip(["changesets", "events"]) {
        for query in ["direction=backward", "direction=backward&checkpoint=head"] {
            let page = accepted(&call.send(&remote, query).await);
            let items = page[name].as_array().expect("items");
            // Others may have committed since.
            let is_there = items.iter().any(|item| item["stream_id"] == *stream);
            assert!(is_there || items.len() == 10, "G6: {page}");
        }
        let query = format!("direction=backward&checkpoint={}&limit=1", last + 1);
        let page = accepted(&call.send(&remote, &query).await);
        assert_eq!(page[name][0]["stream_id"], *stream, "G6: {page}");
        assert_eq!(
            page["next_checkpoint"], page[name][0]["checkpoint"],
            "G6: {page}"
        );
    }
}
