//! The bodies of the answers: the contract's fields, and no others.

use hyper::Method;
use serde_json::{Value, json};

use crate::HttpHarness;
use crate::subject::{Remote, Response, unique};
use crate::wire::schema::Description;
use crate::wire::{
    Call, accepted, append, assert_fields, changesets_call, commit_call, events_call, global_calls,
    path, position, stream_calls,
};

/// What `details=true` adds to a changeset.
const DETAILS: [&str; 5] = [
    "checkpoint",
    "first_event_id",
    "last_event_id",
    "timestamp",
    "idempotency_key",
];

/// Makes a call that must succeed as it is described; its body.
async fn answer(remote: &Remote, call: &Call, query: &str) -> Value {
    let response = call.send(remote, query).await;
    let body = accepted(&response);
    Description::of(remote)
        .await
        .assert_describes(call, &response);
    body
}

/// The items of a page.
fn items<'a>(page: &'a Value, name: &str) -> &'a Vec<Value> {
    page[name].as_array().expect("a page's items")
}

fn with<'a>(fields: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [fields, more].concat()
}

/// A stream with a changeset of two events and one of one event.
async fn two_changesets(remote: &Remote) -> String {
    let stream = unique("answers");
    let first = r#"{"events":[{"n":1},[2]],"metadata":{"by":"me"}}"#;
    append(remote, &stream, 0, first).await;
    append(remote, &stream, 1, r#"{"events":["three"]}"#).await;
    stream
}

/// Whether a changeset's or a commit's details are the second changeset's.
fn assert_details(changeset: &Value) {
    assert_eq!(changeset["first_event_id"], 3, "G3: {changeset}");
    assert_eq!(changeset["last_event_id"], 3, "G3: {changeset}");
    assert!(changeset["checkpoint"].is_u64(), "G6: {changeset}");
    assert!(changeset["timestamp"].is_string(), "{changeset}");
}

/// A commit's answer.
pub async fn a_commit(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("answers");
    let call = commit_call(&path(&stream));
    let plain = answer(&remote, &call, "").await;
    assert_eq!(plain, json!({"stream_id": stream, "changeset_id": 1}));
    let query = "expected_last_event=1&details=true";
    let detailed = answer(&remote, &call, query).await;
    let mut fields = with(&["stream_id", "changeset_id"], &DETAILS[..4]);
    if !harness.capabilities().orders_at_commit {
        fields.retain(|field| *field != "checkpoint" || detailed.get(*field).is_some());
    }
    assert_fields(&detailed, &fields);
    assert_eq!(detailed["first_event_id"], 2, "G3: {detailed}");
    assert_eq!(detailed["last_event_id"], 2, "G3: {detailed}");
}

/// A stream's end; it has no details.
pub async fn a_streams_end(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = two_changesets(&remote).await;
    let [_, head, _, _] = stream_calls(&path(&stream));
    let plain = answer(&remote, &head, "").await;
    let fields = [
        "stream_id",
        "last_changeset",
        "last_event",
        "last_timestamp",
    ];
    assert_fields(&plain, &fields);
    assert_eq!(plain["stream_id"], stream);
    let (changeset, event) = (&plain["last_changeset"], &plain["last_event"]);
    assert_eq!((changeset, event), (&json!(2), &json!(3)), "G5");
    let detailed = answer(&remote, &head, "details=true").await;
    assert_eq!(detailed, plain, "G5: an end has no details");
}

/// A stream's changesets, with a cursor and without.
pub async fn a_streams_changesets(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = two_changesets(&remote).await;
    harness.settle().await;
    let call = changesets_call(&path(&stream));
    let first = json!({"changeset_id": 1, "events": [{"n": 1}, [2]], "metadata": {"by": "me"}});
    let second = json!({"changeset_id": 2, "events": ["three"], "metadata": {}});
    assert_eq!(
        answer(&remote, &call, "").await,
        json!({"stream_id": stream, "changesets": [first, second]}),
        "G5: all of it, and so no `next`"
    );
    assert_eq!(
        answer(&remote, &call, "limit=1").await,
        json!({"stream_id": stream, "changesets": [first], "next": 2}),
        "G5: `next` where more remains"
    );
    assert_eq!(
        answer(&remote, &call, "limit=1&direction=backward").await,
        json!({"stream_id": stream, "changesets": [second], "next": 1}),
        "G5: `next` is the `to` of the next page"
    );
    let detailed = answer(&remote, &call, "details=true").await;
    let item = &items(&detailed, "changesets")[1];
    assert_fields(
        item,
        &with(&["changeset_id", "events", "metadata"], &DETAILS),
    );
    assert_details(item);
}

/// A stream's events, with a cursor and without.
pub async fn a_streams_events(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = two_changesets(&remote).await;
    let call = events_call(&path(&stream));
    let events = [
        json!({"id": 1, "data": {"n": 1}}),
        json!({"id": 2, "data": [2]}),
        json!({"id": 3, "data": "three"}),
    ];
    assert_eq!(
        answer(&remote, &call, "").await,
        json!({"stream_id": stream, "events": events}),
        "G5: all of it, and so no `next`"
    );
    assert_eq!(
        answer(&remote, &call, "limit=1&from=2").await,
        json!({"stream_id": stream, "events": [events[1]], "next": 3}),
        "G5: `next` where more remains, inside a changeset too"
    );
    assert_eq!(
        answer(&remote, &call, "limit=1&direction=backward&to=2").await,
        json!({"stream_id": stream, "events": [events[1]], "next": 1}),
        "G5: `next` is the `to` of the next page"
    );
    let detailed = answer(&remote, &call, "details=true").await;
    let details = ["changeset_id", "metadata", "timestamp"];
    let item = &items(&detailed, "events")[1];
    assert_fields(item, &with(&["id", "data"], &details));
    let told = (&item["changeset_id"], &item["metadata"]);
    assert_eq!(told, (&json!(1), &json!({"by": "me"})), "G11: {item}");
}

/// A page's items that are a stream's own.
fn own(page: &Value, name: &str, stream: &str) -> Vec<Value> {
    let mut items = items(page, name).clone();
    items.retain(|item| item["stream_id"] == stream);
    items
}

/// All changesets.
pub async fn all_changesets(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = two_changesets(&remote).await;
    harness.settle().await;
    let begin = position(&remote, &stream, 2).await;
    let [call, _] = global_calls();
    let page = answer(&remote, &call, &format!("checkpoint={begin}&limit=1000")).await;
    assert_fields(
        &page,
        &["checkpoint", "limit", "changesets", "next_checkpoint"],
    );
    let told = (&page["checkpoint"], &page["limit"]);
    assert_eq!(told, (&json!(begin), &json!(1000)), "G6: {page}");
    let own_items = own(&page, "changesets", &stream);
    let fields = [
        "stream_id",
        "changeset_id",
        "events",
        "metadata",
        "checkpoint",
    ];
    assert_fields(&own_items[0], &fields);
    assert_eq!(own_items[0]["events"], json!(["three"]), "G11");
    let query = format!("checkpoint={begin}&limit=1000&details=true");
    let detailed = answer(&remote, &call, &query).await;
    assert!(detailed["head"].as_u64() > Some(begin), "G6: {detailed}");
    let own_items = own(&detailed, "changesets", &stream);
    assert_fields(&own_items[0], &with(&fields[..4], &DETAILS));
    assert_details(&own_items[0]);
}

/// All events.
pub async fn all_events(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = two_changesets(&remote).await;
    harness.settle().await;
    let begin = position(&remote, &stream, 1).await;
    let [_, call] = global_calls();
    let page = answer(&remote, &call, &format!("checkpoint={begin}&limit=1000")).await;
    assert_fields(&page, &["checkpoint", "limit", "events", "next_checkpoint"]);
    assert_eq!(page["checkpoint"], format!("{begin}.0"), "G6: c means c.0");
    assert_eq!(page["limit"], 1000, "G6: the limit used");
    let own_items = own(&page, "events", &stream);
    let fields = [
        "stream_id",
        "changeset_id",
        "event_id",
        "data",
        "checkpoint",
    ];
    assert_fields(&own_items[1], &fields);
    let (id, data) = (&own_items[1]["event_id"], &own_items[1]["data"]);
    assert_eq!(
        (id, data),
        (&json!(2), &json!([2])),
        "G11: the second event"
    );
    let checkpoint = own_items[1]["checkpoint"].as_str().expect("c.i");
    assert!(checkpoint.ends_with(".1"), "G6: c.i, but {checkpoint}");
    let query = format!("checkpoint={begin}&limit=1000&details=true");
    let detailed = answer(&remote, &call, &query).await;
    assert!(detailed["head"].as_u64() > Some(begin), "G6: {detailed}");
    let own_items = own(&detailed, "events", &stream);
    assert_fields(&own_items[1], &with(&fields, &["metadata", "timestamp"]));
    assert_eq!(own_items[1]["metadata"], json!({"by": "me"}), "G11");
}

/// The statistics: five counts.
pub async fn statistics(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let call = Call::new(Method::GET, "/streams", "");
    for query in ["", "details=true"] {
        let counts = answer(&remote, &call, query).await;
        let totals = ["total_streams", "total_changesets", "total_events"];
        assert_fields(
            &counts,
            &with(&totals, &["max_stream_length", "statistics_version"]),
        );
        let counts = counts.as_object().expect("counts").values();
        assert!(counts.into_iter().all(Value::is_u64), "G13: counts");
    }
}

/// The version and the description.
pub async fn what_the_service_says_of_itself(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let version = Call::new(Method::GET, "/version", "");
    let body = answer(&remote, &version, "").await;
    assert_fields(&body, &["version"]);
    let version = body["version"].as_str().unwrap_or_default();
    assert_eq!(version.split('.').count(), 3, "a version, but {body}");
    let described = answer(&remote, &Call::new(Method::GET, "/openapi.json", ""), "").await;
    assert_eq!(described["info"]["version"], version, "one version");
    let welcome = answer(&remote, &Call::new(Method::GET, "/", ""), "").await;
    assert_fields(&welcome, &["service", "version", "links"]);
    assert_eq!(welcome["version"], version, "one version");
    let links = welcome["links"].as_object().expect("links");
    for path in links.values().filter_map(Value::as_str) {
        assert!(
            described["paths"][path].is_object(),
            "`{path}` is described"
        );
    }
}

/// Every answer ends with a line break, so that a prompt does not stick to it.
pub async fn an_answer_ends_with_a_line_break(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = path(&two_changesets(&remote).await);
    for call in crate::wire::all_calls(&stream) {
        for query in ["", "pp=true", "details=x"] {
            let response = call.send(&remote, query).await;
            let text = response.text();
            assert!(text.ends_with('\n'), "G12: {} {query}: {text}", call.path);
            assert!(!text.ends_with("\n\n"), "G12: {} {query}", call.path);
        }
    }
}

/// HEAD works wherever GET does.
pub async fn a_head_request_has_the_same_headers(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = two_changesets(&remote).await;
    let mut calls = crate::wire::all_calls(&path(&stream));
    calls.retain(|call| call.method == Method::GET);
    for call in calls {
        let get = remote.get(&call.path).await;
        let head = remote.send(Method::HEAD, &call.path, &[], "").await;
        assert_eq!(head.status, get.status, "HEAD {}", call.path);
        assert!(head.body.is_empty(), "HEAD {}: no body", call.path);
        let kind = |response: &Response| response.header("content-type").map(str::to_owned);
        assert_eq!(kind(&head), kind(&get), "HEAD {}", call.path);
        assert!(head.header("x-request-id").is_some(), "HEAD {}", call.path);
    }
}

/// An existing stream whose range holds nothing answers an empty list.
pub async fn a_range_that_holds_nothing(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = two_changesets(&remote).await;
    for (call, name) in [
        (changesets_call(&path(&stream)), "changesets"),
        (events_call(&path(&stream)), "events"),
    ] {
        for query in [
            "from=9",
            "from=9&to=10",
            "to=0",
            "from=9&direction=backward",
        ] {
            let page = answer(&remote, &call, query).await;
            assert_eq!(page, json!({"stream_id": stream, name: []}), "G5: {query}");
        }
    }
}
