//! Commits to several streams: the request, the answer and its errors.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::HttpHarness;
use crate::subject::{Remote, Response, unique};
use crate::wire::{BODY, accepted, append, assert_fields, assert_untouched, error, refused};

const PATH: &str = "/commits";
const CONFLICT: &str = "OPTIMISTIC_CONCURRENCY_EXCEPTION";
const AHEAD: &str = "INVALID_EXPECTED_CHANGESET_ID";

async fn post(remote: &Remote, query: &str, body: &Value) -> Response {
    remote
        .post(&format!("{PATH}?{query}"), body.to_string())
        .await
}

/// A set is answered with its changesets in the order of the request, with details if asked.
pub async fn a_set_is_answered_in_its_order(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let streams = [unique("z-set"), unique("a-set")];
    append(&remote, &streams[1], 0, BODY).await;
    let body = json!({
        "commits": [
            {"stream_id": streams[0], "events": [1, 2]},
            {"stream_id": streams[1], "expected_last_event": 1, "events": [3], "metadata": null},
        ],
        "checks": [{"stream_id": unique("no-stream"), "expected_last_changeset": 0}],
    });
    let answer = accepted(&post(&remote, "", &body).await);
    let expected = json!({"commits": [
        {"stream_id": streams[0], "changeset_id": 1},
        {"stream_id": streams[1], "changeset_id": 2},
    ]});
    assert_eq!(answer, expected, "G3: the answer to a set");
    let body = json!({"commits": [
        {"stream_id": streams[0], "expected_last_changeset": 1, "events": [4]},
    ]});
    let answer = accepted(&post(&remote, "details=true", &body).await);
    let told = &answer["commits"][0];
    let ids = (&told["first_event_id"], &told["last_event_id"]);
    assert_eq!(ids, (&json!(3), &json!(3)), "G3: the details: {answer}");
    assert!(told["timestamp"].is_string(), "G3: the details: {answer}");
}

/// A repeat has the header of a repeat, and the same answer.
pub async fn a_repeat_says_so(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let body = json!({"commits": [
        {"stream_id": unique("set"), "events": [1]},
        {"stream_id": unique("set"), "events": [1]},
    ]});
    let key = [("idempotency-key", "a set")];
    let send = || remote.send(Method::POST, PATH, &key, body.to_string());
    let (first, again) = (send().await, send().await);
    assert_eq!(accepted(&first), accepted(&again), "G10: the same answer");
    let header = |answer: &Response| answer.header("idempotency-replayed").map(str::to_owned);
    assert_eq!(header(&first), None, "G10: the first answer");
    assert_eq!(header(&again).as_deref(), Some("true"), "G10: the repeat");
}

/// A conflict has every commit and check that does not hold, and what each missed.
pub async fn a_conflict_has_all_that_does_not_hold(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let (moved, seen, gone) = (unique("set"), unique("set"), unique("set"));
    append(&remote, &moved, 0, r#"{"events":[1,2]}"#).await;
    append(&remote, &seen, 0, BODY).await;
    let body = |ahead: u64| {
        json!({
            "commits": [
                {"stream_id": moved, "events": [3]},
                {"stream_id": gone, "events": [4]},
            ],
            "checks": [{"stream_id": seen, "expected_last_changeset": ahead}],
        })
    };
    let answer = post(&remote, "", &body(1)).await;
    let told = error(&answer, CONFLICT);
    assert_fields(&told, &["error", "message", "conflicts"]);
    let expected = json!([{
        "stream_id": moved, "last_changeset": 1, "last_event": 2,
        "forthcoming_changesets": [{
            "changeset_id": 1, "first_event_id": 1, "last_event_id": 2,
            "events": [1, 2], "metadata": {},
        }],
    }]);
    assert_eq!(told["conflicts"], expected, "G2: what does not hold");
    let told = error(&post(&remote, "forthcoming=0", &body(1)).await, CONFLICT);
    let expected = json!([
        {"stream_id": moved, "last_changeset": 1, "last_event": 2, "next": 1},
    ]);
    assert_eq!(told["conflicts"], expected, "G2: the verdict only");
    let told = error(&post(&remote, "", &body(2)).await, AHEAD);
    let streams = told["conflicts"].as_array().expect("conflicts").iter();
    let streams: Vec<_> = streams.map(|unmet| unmet["stream_id"].as_str()).collect();
    let expected = [Some(moved.as_str()), Some(seen.as_str())];
    assert_eq!(streams, expected, "G2: all that does not hold: {told}");
    assert_untouched(&remote, &gone).await;
}

/// The message names the commit or the check that is wrong, and nothing is stored.
pub async fn what_is_wrong_is_named(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("set");
    let good = json!({"stream_id": stream, "events": [1]});
    let other = unique("set");
    let with = |name: &str, value: Value| {
        let mut bad = json!({"stream_id": other, "events": [1]});
        bad[name] = value;
        json!({"commits": [good, bad]})
    };
    let checked = |check: Value| json!({"commits": [good], "checks": [check]});
    let (invalid, member) = ("INVALID_BODY", "`commits[1]`");
    let both = "BOTH_EXPECTED_CHANGESET_AND_EVENT_ARE_SET";
    let both_given = json!({
        "stream_id": other, "expected_last_changeset": 0, "expected_last_event": 0,
    });
    for (body, code, named) in [
        (with("stream_id", json!("")), "MISSING_STREAM_ID", member),
        (
            with("stream_id", json!("a\nb")),
            "INVALID_STREAM_ID",
            member,
        ),
        (with("stream_id", json!(1)), invalid, "string"),
        (with("events", json!([])), "NO_EVENTS", member),
        (with("events", json!({})), invalid, member),
        (with("event", json!([1])), invalid, "`event`"),
        (with("expected_last_changeset", json!("1")), AHEAD, member),
        (with("expected_last_changeset", json!(-1)), AHEAD, member),
        (with("expected_last_changeset", json!(1.5)), AHEAD, member),
        (
            with("expected_last_changeset", json!(u64::MAX)),
            AHEAD,
            member,
        ),
        (
            with("expected_last_event", json!([])),
            "INVALID_EXPECTED_EVENT_ID",
            member,
        ),
        (checked(both_given.clone()), both, "`checks[0]`"),
        (checked(json!({"stream_id": other})), invalid, "`checks[0]`"),
        (
            checked(json!({"expected_last_event": 0})),
            invalid,
            "`stream_id`",
        ),
        (checked(json!(1)), invalid, "body"),
        (json!({"commits": []}), invalid, "at least one"),
        (json!({"checks": []}), invalid, "`commits`"),
        (json!({"commits": [good], "check": []}), invalid, "`check`"),
        (json!({"commits": [good, good]}), invalid, &stream),
        (json!({"commits": vec![good.clone(); 26]}), invalid, "25"),
        (
            json!({"commits": [good], "checks": vec![both_given; 51]}),
            invalid,
            "50",
        ),
        (json!([good]), invalid, "body"),
    ] {
        let answer = post(&remote, "", &body).await;
        let said = refused(&answer, code, None);
        assert!(said.contains(named), "G12: `{said}` names {named}");
    }
    for text in [
        "",
        "{",
        r#"{"commits":[{"stream_id":"a","stream_id":"b","events":[1]}]}"#,
        r#"{"commits":[{"stream_id":"a","events":[1],"events":[1]}]}"#,
        r#"{"commits":[{"stream_id":"a","events":[1]}],"commits":[]}"#,
    ] {
        refused(&remote.post(PATH, text.to_owned()).await, invalid, None);
    }
    assert_untouched(&remote, &stream).await;
    assert_untouched(&remote, &other).await;
}

/// Expectations stand in the body: the parameters of a single commit are refused.
pub async fn it_takes_no_parameters_of_a_single_commit(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("set");
    let body = json!({"commits": [{"stream_id": stream, "events": [1]}]});
    for query in [
        "expected_last_changeset=0",
        "expected_last_event=0",
        "from=1",
    ] {
        let answer = post(&remote, query, &body).await;
        refused(&answer, "INVALID_PARAMETER", None);
    }
    assert_untouched(&remote, &stream).await;
    let answer = remote.get(PATH).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.header("allow"), Some("POST"), "G12: what it takes");
}
