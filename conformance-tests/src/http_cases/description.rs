//! The OpenAPI description: complete, and true.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::HttpHarness;
use crate::subject::unique;
use crate::wire::schema::Description;
use crate::wire::{BODY, all_calls, append, changesets_call, commit_call, global_calls, path};

/// The errors that a call can return and its description must list.
const ERRORS: &[(&str, &str, &[&str])] = &[
    (
        "POST",
        "/streams/{stream_id}",
        &[
            "MISSING_STREAM_ID",
            "INVALID_STREAM_ID",
            "INVALID_EXPECTED_CHANGESET_ID",
            "INVALID_EXPECTED_EVENT_ID",
            "BOTH_EXPECTED_CHANGESET_AND_EVENT_ARE_SET",
            "OPTIMISTIC_CONCURRENCY_EXCEPTION",
            "INVALID_BODY",
            "NO_EVENTS",
            "CHANGESET_TOO_LARGE",
            "STREAM_TOO_LARGE",
            "INVALID_IDEMPOTENCY_KEY",
            "IDEMPOTENCY_KEY_REUSED",
            "INVALID_PARAMETER",
        ],
    ),
    (
        "GET",
        "/streams/{stream_id}",
        &["MISSING_STREAM_ID", "INVALID_STREAM_ID", "STREAM_NOT_FOUND"],
    ),
    (
        "GET",
        "/streams/{stream_id}/changesets",
        &[
            "MISSING_STREAM_ID",
            "INVALID_STREAM_ID",
            "INVALID_CHANGESET_FILTERING_PARAMS",
            "INVALID_LIMIT",
            "STREAM_NOT_FOUND",
        ],
    ),
    (
        "GET",
        "/streams/{stream_id}/events",
        &[
            "MISSING_STREAM_ID",
            "INVALID_STREAM_ID",
            "INVALID_EVENT_FILTERING_PARAMS",
            "INVALID_LIMIT",
            "STREAM_NOT_FOUND",
        ],
    ),
    (
        "GET",
        "/changesets",
        &[
            "INVALID_CHECKPOINT",
            "CHECKPOINT_BEYOND_HEAD",
            "INVALID_LIMIT",
            "INVALID_PARAMETER",
            "NOT_ACCEPTABLE",
        ],
    ),
    (
        "GET",
        "/events",
        &[
            "INVALID_CHECKPOINT",
            "CHECKPOINT_BEYOND_HEAD",
            "INVALID_LIMIT",
            "INVALID_PARAMETER",
        ],
    ),
    ("GET", "/streams", &["INVALID_PARAMETER"]),
    ("GET", "/version", &["INVALID_PARAMETER"]),
    ("GET", "/openapi.json", &["INVALID_PARAMETER"]),
];

/// OpenAPI 3.1, with every call of the contract.
pub async fn is_of_the_contract(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let description = Description::of(&remote).await;
    let version = description.json()["openapi"].as_str().unwrap_or_default();
    assert!(version.starts_with("3.1."), "OpenAPI 3.1, not {version}");
    let paths = description.json()["paths"].as_object().expect("paths");
    let found: BTreeSet<&str> = paths.keys().map(String::as_str).collect();
    let calls = all_calls("/streams/x");
    for call in &calls {
        assert!(
            found.contains(call.template),
            "{} is described",
            call.template
        );
        let answers = description.responses(call);
        assert!(
            answers["200"].is_object(),
            "{} {}",
            call.method,
            call.template
        );
    }
    for (path, item) in paths {
        for (method, operation) in item.as_object().expect("operations") {
            let responses = operation["responses"].as_object().expect("responses");
            for (status, response) in responses {
                let text = response["description"].as_str().unwrap_or_default();
                assert!(!text.is_empty(), "{status} of {method} {path} says nothing");
            }
        }
    }
    description.assert_references_lead_somewhere();
}

/// The errors that any call may answer.
const ERRORS_OF_ALL: &[&str] = &[
    "INVALID_ENDPOINT",
    "METHOD_NOT_ALLOWED",
    "OVERLOADED",
    "INTERNAL",
];

/// Every error of a call is named where it is described.
pub async fn names_every_error(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let description = Description::of(&remote).await;
    for (method, template, errors) in ERRORS {
        let mut calls = all_calls("/streams/x").into_iter();
        let call = calls.find(|call| call.method == *method && call.template == *template);
        let call = call.expect("a call of the contract");
        let answers = description.responses(&call).to_string();
        for error in errors.iter().chain(ERRORS_OF_ALL) {
            assert!(
                answers.contains(&format!("`{error}`")),
                "G12: {error} of {method} {template} is described"
            );
        }
    }
}

/// The body of a commit is described as one that has no other members.
pub async fn closes_the_body_of_a_commit(harness: &mut dyn HttpHarness) {
    let description = Description::of(&harness.remote()).await;
    let body = &description.json()["components"]["schemas"]["CommitBody"];
    assert_eq!(body["additionalProperties"], false, "G12: {body}");
    let members = body["properties"].as_object().expect("members");
    let members: Vec<&str> = members.keys().map(String::as_str).collect();
    assert_eq!(members, ["events", "metadata"], "G12: {body}");
}

/// Programs may switch over the codes of errors: all are listed.
pub async fn lists_the_codes_of_errors(harness: &mut dyn HttpHarness) {
    let description = Description::of(&harness.remote()).await;
    let body = &description.json()["components"]["schemas"]["ErrorBody"];
    let codes = body["properties"]["error"]["enum"].as_array();
    let codes = codes.expect("G12: codes");
    for code in ERRORS
        .iter()
        .flat_map(|(_, _, errors)| *errors)
        .chain(ERRORS_OF_ALL)
    {
        assert!(codes.contains(&Value::from(*code)), "G12: {code} is listed");
    }
    let outcomes = &body["properties"]["outcome"]["enum"];
    assert_eq!(*outcomes, json!(["none", "unknown"]), "G12: {body}");
    let required = body["required"].as_array().expect("members");
    assert_eq!(*required, ["error", "message"], "G12: {body}");
}

/// Errors are as they are described.
pub async fn describes_every_error_body(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let description = Description::of(&remote).await;
    let stream = unique("description");
    append(&remote, &stream, 0, BODY).await;
    let commit = commit_call(&path(&stream));
    for query in ["", "details=true", "expected_last_changeset=9", "pp=1"] {
        let response = commit.send(&remote, query).await;
        assert!(response.status.is_client_error(), "G12: {query}");
        description.assert_describes(&commit, &response);
    }
    for call in global_calls() {
        let response = call
            .send(&remote, &format!("checkpoint={}", 1_u64 << 60))
            .await;
        description.assert_describes(&call, &response);
    }
    let missing = changesets_call(&path(&unique("description")));
    for query in ["", "from=x"] {
        let response = missing.send(&remote, query).await;
        description.assert_describes(&missing, &response);
    }
    for call in all_calls(&path(&stream)) {
        let response = call.send(&remote, "details=1").await;
        description.assert_describes(&call, &response);
    }
}
