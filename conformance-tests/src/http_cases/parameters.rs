//! Query parameters: integers, words, ranges and checkpoints, good and bad.

use hyper::Method;
use serde_json::json;

use crate::HttpHarness;
use crate::subject::{Remote, encode, unique};
use crate::wire::{
    BODY, CHANGESET_RANGE, Call, EVENT_RANGE, accepted, ahead, all_calls, append, assert_untouched,
    changesets_call, commit_call, error, events_call, global_calls, path, refused,
};

/// What is no integer from 0 to 2^63 - 1 in decimal digits.
const BAD_INTEGERS: &[&str] = &[
    "-1",
    "-0",
    "+1",
    " 1",
    "1 ",
    " ",
    "1.0",
    "1,0",
    "1e3",
    "0x1",
    "1_000",
    "9223372036854775808",
    "18446744073709551616",
    "99999999999999999999",
    "\u{ff11}",
    "\u{661}",
    "abc",
    "null",
    "1\u{0}",
];

const MAX: &str = "9223372036854775807";

/// A parameter that is an integer: its call, its name, its error.
type Integer = (Call, &'static str, &'static str);

fn integers(stream_path: &str) -> Vec<Integer> {
    let changeset = "INVALID_EXPECTED_CHANGESET_ID";
    let event = "INVALID_EXPECTED_EVENT_ID";
    let commit = commit_call(stream_path);
    let mut all = vec![
        (commit.clone(), "expected_last_changeset", changeset),
        (commit.clone(), "expected_last_event", event),
        (commit, "forthcoming", "INVALID_PARAMETER"),
    ];
    for (call, code) in [
        (changesets_call(stream_path), CHANGESET_RANGE),
        (events_call(stream_path), EVENT_RANGE),
    ] {
        all.push((call.clone(), "from", code));
        all.push((call.clone(), "to", code));
        all.push((call.clone(), "limit", "INVALID_LIMIT"));
        all.push((call, "wait", "INVALID_PARAMETER"));
    }
    for call in global_calls() {
        all.push((call.clone(), "limit", "INVALID_LIMIT"));
        all.push((call, "wait", "INVALID_PARAMETER"));
    }
    let [changesets, _] = global_calls();
    all.push((changesets, "checkpoint", "INVALID_CHECKPOINT"));
    all
}

/// A parameter that is no integer: its call and its name.
fn words(stream_path: &str) -> Vec<(Call, &'static str)> {
    let mut all = Vec::new();
    for call in [changesets_call(stream_path), events_call(stream_path)] {
        all.push((call, "direction"));
    }
    all.extend(global_calls().map(|call| (call, "direction")));
    for call in all_calls(stream_path) {
        all.push((call.clone(), "details"));
        all.push((call, "pp"));
    }
    all
}

/// A stream of two changesets, and a name that is free.
async fn streams(remote: &Remote) -> (String, String) {
    let stream = unique("parameters");
    append(remote, &stream, 0, BODY).await;
    append(remote, &stream, 1, BODY).await;
    (stream, unique("parameters-free"))
}

/// A call that must be refused; names the stream where its path has one.
async fn assert_refused(
    remote: &Remote,
    call: &Call,
    query: &str,
    code: &str,
    stream: &str,
) -> String {
    let response = call.send(remote, query).await;
    if response.is_of_the_front() {
        return String::new();
    }
    refused(&response, code, call.has_stream().then_some(stream))
}

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

/// `from=` is as good as nothing.
pub async fn an_empty_parameter_counts_as_not_given(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let (stream, free) = streams(&remote).await;
    let query = "expected_last_changeset=&expected_last_event=&details=&pp";
    let committed = accepted(&commit_call(&path(&free)).send(&remote, query).await);
    assert_eq!(
        committed,
        json!({"stream_id": free, "changeset_id": 1}),
        "G12: none given"
    );
    let query = "expected_last_changeset=&expected_last_event=1";
    let committed = accepted(&commit_call(&path(&free)).send(&remote, query).await);
    assert_eq!(committed["changeset_id"], 2, "G12: only one was given");
    for call in [changesets_call(&path(&stream)), events_call(&path(&stream))] {
        let plain = accepted(&call.send(&remote, "").await);
        let query = "from=&to=&limit=&direction=&details=&pp=";
        assert_eq!(
            accepted(&call.send(&remote, query).await),
            plain,
            "G12: {query}"
        );
    }
    for call in global_calls() {
        let page = accepted(
            &call
                .send(&remote, "checkpoint=&limit=&wait=&details=&pp=")
                .await,
        );
        assert_eq!(page["limit"], 10, "G12: the limit is as if not given");
    }
}

/// A parameter given twice is refused, even with one value.
pub async fn a_parameter_given_twice_is_refused(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("parameters");
    let calls = integers(&path(&stream));
    let mut calls: Vec<_> = calls
        .into_iter()
        .map(|(call, name, _)| (call, name))
        .collect();
    calls.extend(words(&path(&stream)));
    calls.extend(global_calls().map(|call| (call, "checkpoint")));
    for (call, name) in calls {
        for query in [
            format!("{name}=1&{name}=1"),
            format!("{name}=1&{name}=2"),
            format!("{name}=&{name}=1"),
            format!("{name}&{name}"),
        ] {
            let message =
                assert_refused(&remote, &call, &query, "INVALID_PARAMETER", &stream).await;
            assert!(message.contains(name), "G12: `{message}` names `{name}`");
        }
    }
    assert_untouched(&remote, &stream).await;
}

/// A read refuses a parameter that it does not take, after it has checked those that it takes; it
/// suggests the name that was probably meant. The description of the calls takes anything.
pub async fn a_read_refuses_unknown_parameters(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let (stream, _) = streams(&remote).await;
    let code = "INVALID_PARAMETER";
    for call in all_calls(&path(&stream)) {
        if call.method != Method::GET {
            continue;
        }
        let unknown = ["colour=red&colour=blue", "DETAILS=true", "=1", "%ff=%fe"];
        if call.path == "/openapi.json" {
            let response = call.send(&remote, &unknown.join("&")).await;
            if !response.is_of_the_front() {
                accepted(&response);
            }
            continue;
        }
        for query in unknown {
            assert_refused(&remote, &call, query, code, &stream).await;
        }
        let message = assert_refused(&remote, &call, "detials=true", code, &stream).await;
        let suggests = message.contains("did you mean `details`?");
        assert!(suggests, "G12: `{message}` suggests `details`");
        let message = assert_refused(&remote, &call, "colour=red&pp=x", code, &stream).await;
        assert!(
            !message.contains("colour"),
            "G12: known names first: `{message}`"
        );
    }
    for (call, query) in elsewhere(&path(&stream)) {
        assert_refused(&remote, &call, query, code, &stream).await;
    }
}

/// Calls with a parameter that another call takes.
fn elsewhere(stream_path: &str) -> Vec<(Call, &'static str)> {
    let [_, head, changesets, events] = crate::wire::stream_calls(stream_path);
    let [all_changesets, all_events] = global_calls();
    let statistics = Call::new(Method::GET, "/streams", "");
    vec![
        (head.clone(), "from=1"),
        (head.clone(), "limit=1"),
        (head, "wait=1"),
        (changesets.clone(), "checkpoint=0"),
        (changesets, "expected_last_changeset=1"),
        (events, "store=0f3c9a52-7d1e-4b68-9c05-2a6f81d3b7e4"),
        (all_changesets, "from=1"),
        (all_events, "to=1"),
        (statistics, "limit=1"),
    ]
}

/// A commit refuses a parameter that it does not take, after it has checked those that it takes; it
/// suggests the name that was probably meant.
pub async fn a_commit_refuses_unknown_parameters(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("parameters");
    let commit = commit_call(&path(&stream));
    for (query, name, meant) in [
        (
            "expected_last_changset=7",
            "expected_last_changset",
            Some("expected_last_changeset"),
        ),
        (
            "Expected-Last-Event=1",
            "Expected-Last-Event",
            Some("expected_last_event"),
        ),
        (
            "expected_last_changeset=0&detials=true",
            "detials",
            Some("details"),
        ),
        ("PP=true", "PP", Some("pp")),
        ("colour=red&colour=blue", "colour", None),
        ("limit=1", "limit", None),
        ("=1", "", None),
    ] {
        let message = assert_refused(&remote, &commit, query, "INVALID_PARAMETER", &stream).await;
        assert!(
            message.contains(&format!("`{name}`")),
            "G12: `{message}` names `{name}`"
        );
        let suggested = meant.map(|meant| format!("did you mean `{meant}`?"));
        let holds = match suggested {
            Some(suggested) => message.contains(&suggested),
            None => !message.contains("did you mean"),
        };
        assert!(holds, "G12: `{message}` suggests {meant:?}");
    }
    for (query, code) in [
        (
            "colour=red&expected_last_changeset=x",
            "INVALID_EXPECTED_CHANGESET_ID",
        ),
        ("colour=red&pp=x", "INVALID_PARAMETER"),
    ] {
        let message = assert_refused(&remote, &commit, query, code, &stream).await;
        assert!(
            !message.contains("colour"),
            "G12: known names come first: `{message}`"
        );
    }
    assert_untouched(&remote, &stream).await;
}

/// A name that begins with `_` is never a parameter: such names make a URL unique.
pub async fn names_with_an_underscore_are_ignored(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("parameters");
    for call in all_calls(&path(&stream)) {
        accepted(
            &call
                .send(&remote, "_=1&_=2&_expected_last_changeset=7")
                .await,
        );
    }
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

/// `direction`, `details` and `pp` know two words each.
pub async fn bad_words_are_refused(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("parameters");
    for (call, name) in words(&path(&stream)) {
        for bad in [
            "sideways",
            "FORWARD",
            "True",
            "1",
            "yes",
            "true ",
            "false,true",
        ] {
            let query = format!("{name}={}", encode(bad));
            let message =
                assert_refused(&remote, &call, &query, "INVALID_PARAMETER", &stream).await;
            assert!(
                message.contains(name) && message.contains(bad),
                "G12: `{message}` names `{name}` and `{bad}`"
            );
        }
    }
    assert_untouched(&remote, &stream).await;
    let (stream, _) = streams(&remote).await;
    for call in [changesets_call(&path(&stream)), events_call(&path(&stream))] {
        accepted(
            &call
                .send(&remote, "direction=forward&details=false&pp=false")
                .await,
        );
        accepted(
            &call
                .send(&remote, "direction=backward&details=true&pp=true")
                .await,
        );
    }
}

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
