//! Query parameters in general: known and unknown ones, repeated ones, empty ones, words.

use hyper::Method;
use serde_json::json;

use crate::HttpHarness;
use crate::subject::{encode, unique};
use crate::wire::parameters::{assert_refused, integers, streams, words};
use crate::wire::{
    Call, accepted, all_calls, assert_untouched, changesets_call, commit_call, events_call,
    global_calls, path,
};

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
