//! The query parameters of the calls.

use super::{
    BODY, CHANGESET_RANGE, Call, EVENT_RANGE, all_calls, append, changesets_call, commit_call,
    events_call, global_calls, refused,
};
use crate::subject::{Remote, unique};

/// What is no integer from 0 to 2^63 - 1 in decimal digits.
pub(crate) const BAD_INTEGERS: &[&str] = &[
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

pub(crate) const MAX: &str = "9223372036854775807";

/// A parameter that is an integer: its call, its name, its error.
pub(crate) type Integer = (Call, &'static str, &'static str);

pub(crate) fn integers(stream_path: &str) -> Vec<Integer> {
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
pub(crate) fn words(stream_path: &str) -> Vec<(Call, &'static str)> {
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
pub(crate) async fn streams(remote: &Remote) -> (String, String) {
    let stream = unique("parameters");
    append(remote, &stream, 0, BODY).await;
    append(remote, &stream, 1, BODY).await;
    (stream, unique("parameters-free"))
}

/// A call that must be refused; names the stream where its path has one.
pub(crate) async fn assert_refused(
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
