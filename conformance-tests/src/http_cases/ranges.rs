//! Ranges of ids, and checkpoints, good and bad.

use crate::HttpHarness;
use crate::subject::encode;
use crate::wire::parameters::{BAD_INTEGERS, MAX, assert_refused, streams};
use crate::wire::{
    CHANGESET_RANGE, EVENT_RANGE, accepted, changesets_call, events_call, global_calls, path,
    refused,
};

/// `from` is not behind `to`.
pub async fn a_range_is_not_upside_down(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let (stream, _) = streams(&remote).await;
    for (call, code) in [
        (changesets_call(&path(&stream)), CHANGESET_RANGE),
        (events_call(&path(&stream)), EVENT_RANGE),
    ] {
        for query in [
            "from=2&to=1",
            "from=1&to=0",
            "to=3&from=4&direction=backward",
        ] {
            assert_refused(&remote, &call, query, code, &stream).await;
        }
        let query = format!("from={MAX}&to={}", "9223372036854775806");
        let message = assert_refused(&remote, &call, &query, code, &stream).await;
        assert!(message.contains(MAX), "G12: `{message}` names the value");
    }
}

/// `from=0` is as `from=1`; nothing is before it.
pub async fn ids_begin_at_one_but_ranges_at_zero(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let (stream, _) = streams(&remote).await;
    for (call, name, id) in [
        (
            changesets_call(&path(&stream)),
            "changesets",
            "changeset_id",
        ),
        (events_call(&path(&stream)), "events", "id"),
    ] {
        for (query, expected) in [
            ("from=0", vec![1, 2]),
            ("from=0&to=1", vec![1]),
            ("from=0&to=0", vec![]),
            ("to=0", vec![]),
            ("from=2&to=2", vec![2]),
            ("from=0&direction=backward", vec![2, 1]),
            ("to=1&direction=backward", vec![1]),
            ("limit=1&from=0", vec![1]),
        ] {
            let page = accepted(&call.send(&remote, query).await);
            let items = page[name].as_array().expect("items");
            let ids: Vec<_> = items
                .iter()
                .map(|item| item[id].as_i64().unwrap())
                .collect();
            assert_eq!(ids, expected, "G5: {name} by {query}");
        }
    }
}

/// A checkpoint is an integer, or `c.i` for events, or `head`.
pub async fn checkpoints_have_their_forms(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let [changesets, events] = global_calls();
    let shared = [
        "HEAD", "heads", "tail", ".", "..", "1.", ".1", "1.-1", "-1.0", "1.2.3", "1. 2",
    ];
    let bad = shared.into_iter().chain(BAD_INTEGERS.iter().copied());
    for bad in bad.filter(|bad| *bad != "1.0") {
        for call in [&changesets, &events] {
            let query = format!("checkpoint={}", encode(bad));
            let message = refused(
                &call.send(&remote, &query).await,
                "INVALID_CHECKPOINT",
                None,
            );
            assert!(message.contains(bad), "G12: `{message}` names `{bad}`");
        }
    }
    let one = changesets.send(&remote, "checkpoint=1.0").await;
    refused(&one, "INVALID_CHECKPOINT", None);
    let head = accepted(&changesets.send(&remote, "checkpoint=head").await);
    assert!(
        head["checkpoint"].is_u64(),
        "G6: the answer has the head: {head}"
    );
    streams(&remote).await;
    harness.settle().await;
    for (asked, told) in [
        ("1", "1.0"),
        ("1.0", "1.0"),
        ("01.007", "1.7"),
        ("0.99", "0.99"),
    ] {
        let page = accepted(&events.send(&remote, &format!("checkpoint={asked}")).await);
        assert_eq!(page["checkpoint"], told, "G6: checkpoint={asked}");
    }
}
