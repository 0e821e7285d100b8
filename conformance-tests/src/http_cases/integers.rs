//! Query parameters that are integers, limits and waits, good and bad.

use hyper::Method;

use crate::HttpHarness;
use crate::subject::{encode, unique};
use crate::wire::parameters::{BAD_INTEGERS, MAX, assert_refused, integers, streams};
use crate::wire::{
    BODY, accepted, ahead, append, assert_untouched, changesets_call, commit_call, error,
    events_call, global_calls, path, refused,
};

/// Integers are decimal digits only, up to 2^63 - 1; the message names the value.
pub async fn bad_integers_are_refused(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("parameters");
    for (call, name, code) in integers(&path(&stream)) {
        for bad in BAD_INTEGERS {
            let query = format!("{name}={}", encode(bad));
            let message = assert_refused(&remote, &call, &query, code, &stream).await;
            assert!(
                message.contains(name) && message.contains(bad),
                "G12: `{message}` names `{name}` and `{bad}`"
            );
        }
    }
    assert_untouched(&remote, &stream).await;
}

/// 2^63 - 1 is an integer like any other.
pub async fn the_largest_integer_is_taken(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let (stream, free) = streams(&remote).await;
    harness.settle().await;
    for (call, name, _) in integers(&path(&stream)) {
        if call.method == Method::POST || name == "wait" {
            continue;
        }
        for number in [MAX, "0000000000000000000000001"] {
            if name == "checkpoint" && number == MAX {
                continue;
            }
            accepted(&call.send(&remote, &format!("{name}={number}")).await);
        }
    }
    for name in ["expected_last_changeset", "expected_last_event"] {
        let query = format!("{name}={MAX}");
        let response = commit_call(&path(&free)).send(&remote, &query).await;
        let message = ahead(&response, &free, (0, 0));
        assert!(
            message.contains(MAX),
            "G12: an expectation ahead: {message}"
        );
    }
    let [_, events] = global_calls();
    let response = events
        .send(&remote, &format!("checkpoint={MAX}.{MAX}"))
        .await;
    error(&response, "CHECKPOINT_BEYOND_HEAD");
}

/// A limit is 1 or more; a stream's may be as large as one likes.
pub async fn a_limit_is_one_or_more(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let (stream, _) = streams(&remote).await;
    let mut calls = vec![changesets_call(&path(&stream)), events_call(&path(&stream))];
    for call in &calls {
        let all = accepted(&call.send(&remote, "").await);
        for limit in ["2", "5000", "1000000000000", MAX] {
            let page = accepted(&call.send(&remote, &format!("limit={limit}")).await);
            assert_eq!(page, all, "G5: limit={limit}");
        }
    }
    calls.extend(global_calls());
    for call in calls {
        for zero in ["0", "000"] {
            let query = format!("limit={zero}");
            let message = assert_refused(&remote, &call, &query, "INVALID_LIMIT", &stream).await;
            assert!(
                message.contains("limit=0"),
                "G12: `{message}` names the value"
            );
        }
    }
}

/// A page of the global order has at most 1000 items. The answer has the limit that was applied.
pub async fn a_global_limit_has_a_maximum(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    for call in global_calls() {
        for (asked, used) in [
            ("", 10),
            ("1", 1),
            ("1000", 1000),
            ("1001", 1000),
            (MAX, 1000),
        ] {
            let query = format!("checkpoint=head&limit={asked}");
            let page = accepted(&call.send(&remote, &query).await);
            assert_eq!(page["limit"], used, "G6: limit={asked}");
        }
        let response = call.send(&remote, "limit=0").await;
        let message = refused(&response, "INVALID_LIMIT", None);
        assert!(
            message.contains("to 1000;"),
            "G12: `{message}` names the maximum"
        );
    }
}

/// Nobody waits longer than 20 seconds. A larger number counts as 20, which the answer tells.
pub async fn a_wait_has_a_maximum(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("parameters");
    append(&remote, &stream, 0, BODY).await;
    harness.settle().await;
    let mut calls = Vec::from(global_calls());
    calls.extend([changesets_call(&path(&stream)), events_call(&path(&stream))]);
    for call in calls {
        // There is an item to read, so that no read waits.
        for (asked, told) in [
            ("0", None),
            ("1", None),
            ("20", None),
            ("21", Some(20)),
            ("3600", Some(20)),
            (MAX, Some(20)),
        ] {
            let page = accepted(&call.send(&remote, &format!("wait={asked}")).await);
            assert_eq!(page["wait"].as_u64(), told, "G12: wait={asked}: {page}");
        }
        let response = call.send(&remote, "wait=-1").await;
        let body = error(&response, "INVALID_PARAMETER");
        let message = body["message"].as_str().unwrap_or_default();
        assert!(
            message.contains("0 to 20;"),
            "G12: `{message}` names the maximum"
        );
    }
}
