//! The calls of durable consumers.

use hyper::Method;
use serde_json::{Value, json};

use crate::HttpHarness;
use crate::running::guarantee;
use crate::subject::{Remote, Response, unique};
use crate::support::within;
use crate::wire::schema::Description;
use crate::wire::{BODY, Call, accepted, append, assert_fields, end_of_log, error, refused};

/// A consumer of this case alone, and the streams that it gets.
struct Consumer {
    path: String,
    prefix: String,
}

impl Consumer {
    async fn define(remote: &Remote, more: &Value) -> Self {
        let prefix = unique("consumed").replace(['/', ' '], "-");
        let consumer = Self {
            path: format!("/consumers/{prefix}"),
            prefix: format!("{prefix}-"),
        };
        let mut definition = json!({ "from": "head", "stream_prefixes": [consumer.prefix] });
        let members = more.as_object().expect("an object").clone();
        definition
            .as_object_mut()
            .expect("an object")
            .extend(members);
        let defined = consumer.put(remote, &definition).await;
        assert_eq!(defined.status, 201, "G16: {}", defined.text());
        consumer
    }

    async fn put(&self, remote: &Remote, definition: &Value) -> Response {
        let body = definition.to_string();
        remote.send(Method::PUT, &self.path, &[], body).await
    }

    async fn post(&self, remote: &Remote, call: &str, body: &Value) -> Response {
        let path = format!("{}/{call}", self.path);
        remote.post(&path, body.to_string()).await
    }

    fn stream(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    async fn claim(&self, remote: &Remote) -> Value {
        let claim = json!({ "worker": "w" });
        accepted(&self.post(remote, "claim", &claim).await)
    }

    async fn delete(&self, remote: &Remote) -> Response {
        remote.send(Method::DELETE, &self.path, &[], "").await
    }
}

fn ids(batch: &Value) -> Vec<(String, u64)> {
    let changesets = batch["changesets"].as_array().expect("changesets").iter();
    let id = |c: &Value| {
        let stream = c["stream_id"].as_str().expect("a stream id").to_owned();
        (stream, c["changeset_id"].as_u64().expect("an id"))
    };
    changesets.map(id).collect()
}

fn whole(batch: &Value) -> Value {
    json!({
        "partition": batch["partition"],
        "generation": batch["generation"],
        "checkpoint": batch["next_checkpoint"],
    })
}

fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

/// Every call, from the definition to the deletion, and its fields.
pub async fn are_defined_work_and_are_deleted(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let consumer = Consumer::define(&remote, &json!({})).await;
    let same = json!({
        "from": "head", "stream_prefixes": [consumer.prefix], "event_types": [], "partitions": 1,
        "lease_seconds": 30, "retry_seconds": [1, 5, 30, 120], "on_failure": "park",
    });
    let state = accepted(&consumer.put(&remote, &same).await);
    assert_fields(&state, &["name", "definition", "lag", "partitions"]);
    assert_eq!(state["definition"], same, "G16: defaults filled in");
    let other = with(same, "partitions", json!(2));
    refused(
        &consumer.put(&remote, &other).await,
        "CONSUMER_EXISTS",
        None,
    );
    let nothing = consumer
        .post(&remote, "claim", &json!({ "worker": "w" }))
        .await;
    assert_eq!(nothing.status, 204, "G16: nothing yet");
    let (a, b) = (consumer.stream("a"), consumer.stream("b"));
    append(&remote, &a, 0, BODY).await;
    // The order has it before the others.
    harness.settle().await;
    append(&remote, &unique("other"), 0, BODY).await;
    append(&remote, &b, 0, BODY).await;
    harness.settle().await;
    let claim = json!({ "worker": "w", "limit": 1 });
    let batch = accepted(&consumer.post(&remote, "claim", &claim).await);
    let fields = [
        "partition",
        "generation",
        "lease_seconds",
        "kind",
        "changesets",
        "next_checkpoint",
    ];
    assert_fields(&batch, &fields);
    assert_eq!(
        ids(&batch),
        [(a.clone(), 1)],
        "{}: one changeset",
        guarantee()
    );
    assert_eq!(batch["kind"], "live", "G16: {batch}");
    let item = &batch["changesets"][0];
    let fields = [
        "stream_id",
        "changeset_id",
        "events",
        "metadata",
        "checkpoint",
    ];
    assert_fields(item, &fields);
    let state = accepted(&remote.get(&consumer.path).await);
    let partition = &state["partitions"][0];
    assert_eq!(partition["worker"], "w", "G16: {state}");
    assert_eq!(partition["generation"], batch["generation"], "G16: {state}");
    let ack = with(whole(&batch), "next", json!({}));
    let next = accepted(&consumer.post(&remote, "ack", &ack).await);
    assert_eq!(ids(&next), [(b.clone(), 1)], "G16: the next batch");
    let again = accepted(&consumer.post(&remote, "ack", &ack).await);
    assert_eq!(again, next, "G16: a repeat is answered again");
    let release = json!({ "partition": 0, "generation": next["generation"] });
    assert_eq!(
        accepted(&consumer.post(&remote, "release", &release).await),
        json!({})
    );
    let fenced = error(
        &consumer.post(&remote, "ack", &whole(&next)).await,
        "FENCED",
    );
    assert_fields(&fenced, &["error", "message", "generation"]);
    assert_eq!(fenced["generation"], next["generation"], "G16: {fenced}");
    let last = consumer.claim(&remote).await;
    let ack = with(whole(&last), "next", json!({ "wait": 0 }));
    let ended = consumer.post(&remote, "ack", &ack).await;
    assert_eq!(ended.status, 204, "G16: acknowledged, and nothing more");
    assert!(ended.body.is_empty(), "G16: a 204 has no body");
    let names = accepted(&remote.get("/consumers").await);
    let name = json!(consumer.path.trim_start_matches("/consumers/"));
    let names = names["consumers"].as_array().expect("names");
    assert!(names.contains(&name), "G16: it is listed");
    assert_eq!(accepted(&consumer.delete(&remote).await), json!({}), "G16");
    refused(&consumer.delete(&remote).await, "CONSUMER_NOT_FOUND", None);
    assert_every_call_misses_it(&remote, &consumer, &last).await;
}

/// The calls of workers and operators are refused once the consumer is deleted.
async fn assert_every_call_misses_it(remote: &Remote, consumer: &Consumer, last: &Value) {
    let fenced = json!({ "partition": 0, "generation": last["generation"] });
    for (call, body) in [
        ("ack", whole(last)),
        ("release", fenced),
        ("claim", json!({ "worker": "w" })),
        ("retry", json!({ "stream_id": "a" })),
        ("skip", json!({ "stream_id": "a", "through_changeset": 1 })),
        ("reset", json!({ "checkpoint": 0 })),
    ] {
        let gone = consumer.post(remote, call, &body).await;
        refused(&gone, "CONSUMER_NOT_FOUND", None);
    }
}

/// What fails is parked, listed, tried and skipped.
pub async fn park_what_fails(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let slow = json!({ "retry_seconds": [3600] });
    let consumer = Consumer::define(&remote, &slow).await;
    let (a, b) = (consumer.stream("a"), consumer.stream("b"));
    for (stream, last) in [(&a, 0), (&b, 0), (&a, 1), (&b, 1)] {
        append(&remote, stream, last, BODY).await;
    }
    harness.settle().await;
    let batch = consumer.claim(&remote).await;
    let failure = |stream: &str| {
        let error = "é".repeat(500_000);
        json!({ "stream_id": stream, "changeset_id": 1, "error": error })
    };
    let failed = json!([failure(&a), failure(&b)]);
    let ack = with(whole(&batch), "failed", failed);
    assert_eq!(
        accepted(&consumer.post(&remote, "ack", &ack).await),
        json!({})
    );
    let path = format!("{}/parked?limit=1", consumer.path);
    let first = accepted(&remote.get(&path).await);
    assert_fields(&first, &["parked", "next"]);
    let entry = &first["parked"][0];
    let fields = [
        "stream_id",
        "from_changeset",
        "attempts",
        "error",
        "since",
        "next_try",
        "stopped",
    ];
    assert_fields(entry, &fields);
    assert_eq!(entry["stream_id"], a, "G16: {entry}");
    assert_eq!(entry["stopped"], false, "G16: {entry}");
    let length = entry["error"].as_str().expect("a text").len();
    assert_eq!(length, 256, "G16: the beginning of the error");
    let second = accepted(&remote.get(&format!("{path}&after={a}")).await);
    assert_fields(&second, &["parked"]);
    let state = accepted(&remote.get(&format!("{}?passed=0", consumer.path)).await);
    assert_eq!(state["partitions"][0]["parked"], 2, "G16: {state}");
    assert_eq!(state["passed"], true, "G16: {state}");
    let beyond = json!({ "stream_id": a, "through_changeset": 9 });
    refused(
        &consumer.post(&remote, "skip", &beyond).await,
        "INVALID_BODY",
        None,
    );
    let skip = json!({ "stream_id": a, "through_changeset": 1 });
    let skipped = accepted(&consumer.post(&remote, "skip", &skip).await);
    assert_eq!(skipped["from_changeset"], 1, "G16: {skipped}");
    let retry = consumer.claim(&remote).await;
    assert_eq!(retry["kind"], "retry", "G16: {retry}");
    assert_eq!(ids(&retry), [(a.clone(), 2)], "G16: what follows");
    let ack = with(whole(&retry), "next", json!({}));
    assert_eq!(consumer.post(&remote, "ack", &ack).await.status, 204, "G16");
    let b = json!({ "stream_id": b });
    let retried = accepted(&consumer.post(&remote, "retry", &b).await);
    assert_eq!(retried["attempts"], 1, "G16: {retried}");
    assert_eq!(
        consumer.claim(&remote).await["kind"],
        "retry",
        "G16: at once"
    );
    let unknown = json!({ "stream_id": "nobody" });
    let unknown = consumer.post(&remote, "retry", &unknown).await;
    refused(&unknown, "STREAM_NOT_PARKED", None);
    let beyond = json!({ "checkpoint": 1_u64 << 60 });
    error(
        &consumer.post(&remote, "reset", &beyond).await,
        "CHECKPOINT_BEYOND_HEAD",
    );
    consumer.delete(&remote).await;
}

/// What is not as the contract says changes nothing.
pub async fn refuse_what_is_wrong(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    for name in ["a%20b", "%C3%A9", &"x".repeat(65), "a%2Fb"] {
        let path = format!("/consumers/{name}");
        let put = remote.send(Method::PUT, &path, &[], "{}").await;
        refused(&put, "INVALID_CONSUMER_NAME", None);
        let claim = remote.post(&format!("{path}/claim"), "{}").await;
        refused(&claim, "INVALID_CONSUMER_NAME", None);
    }
    let new = format!("/consumers/{}", unique("wrong").replace('/', "-"));
    for body in [
        "[]",
        "{",
        r#"{"partitions":0}"#,
        r#"{"partitions":10000}"#,
        r#"{"partitions":-1}"#,
        r#"{"lease_seconds":4}"#,
        r#"{"retry_seconds":[-1]}"#,
        r#"{"on_failure":"explode"}"#,
        r#"{"from":"tail"}"#,
        r#"{"partition":1}"#,
        r#"{"stream_prefixes":[""]}"#,
    ] {
        let put = remote.send(Method::PUT, &new, &[], body).await;
        refused(&put, "INVALID_BODY", None);
    }
    let beyond = format!(r#"{{"from":{}}}"#, 1_u64 << 60);
    let put = remote.send(Method::PUT, &new, &[], beyond).await;
    error(&put, "CHECKPOINT_BEYOND_HEAD");
    refused(&remote.get(&new).await, "CONSUMER_NOT_FOUND", None);
    let consumer = Consumer::define(&remote, &json!({})).await;
    for body in [
        json!({}),
        json!({ "worker": "w", "limit": 0 }),
        json!({ "worker": "w", "limit": 1001 }),
        json!({ "worker": "w", "wait": 21 }),
        json!({ "worker": "w", "waits": 1 }),
        json!({ "worker": "w".repeat(101) }),
    ] {
        let claim = consumer.post(&remote, "claim", &body).await;
        refused(&claim, "INVALID_BODY", None);
    }
    let stream = consumer.stream("a");
    append(&remote, &stream, 0, BODY).await;
    harness.settle().await;
    let batch = consumer.claim(&remote).await;
    let ack = whole(&batch);
    for (name, value) in [
        ("checkpoint", json!(1_u64 << 60)),
        ("partition", json!(1)),
        (
            "failed",
            json!([{ "stream_id": stream, "changeset_id": 2 }]),
        ),
        (
            "failed",
            json!([{ "stream_id": "nobody", "changeset_id": 1 }]),
        ),
        ("next", json!({ "limit": 0 })),
        ("more", json!(true)),
    ] {
        let wrong = with(ack.clone(), name, value);
        let refusal = consumer.post(&remote, "ack", &wrong).await;
        refused(&refusal, "INVALID_BODY", None);
    }
    let wrong = with(ack.clone(), "generation", json!(1));
    error(&consumer.post(&remote, "ack", &wrong).await, "FENCED");
    assert_eq!(
        accepted(&consumer.post(&remote, "ack", &ack).await),
        json!({})
    );
    consumer.delete(&remote).await;
}

/// A claim that waits is answered when something is committed, and who waits for a position is
/// told when the consumer has passed it.
pub async fn wait_where_asked(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let consumer = Consumer::define(&remote, &json!({})).await;
    let claim = json!({ "worker": "w", "wait": 20 });
    let claimed = async {
        loop {
            let claimed = consumer.post(&remote, "claim", &claim).await;
            if claimed.status != 204 {
                break accepted(&claimed);
            }
        }
    };
    let stream = consumer.stream("a");
    let committed = async {
        append(&remote, &stream, 0, BODY).await;
        harness.settle().await;
    };
    let both = async { tokio::join!(claimed, committed).0 };
    let batch = within("G8: the claim is answered", Box::pin(both)).await;
    let position = end_of_log(&remote).await - 1;
    let passed = format!("{}?passed={position}", consumer.path);
    let behind = accepted(&remote.get(&passed).await);
    assert_eq!(behind["passed"], false, "G16: {behind}");
    let ack = whole(&batch);
    let waits = async {
        loop {
            let state = accepted(&remote.get(&format!("{passed}&wait=20")).await);
            if state["passed"] == true {
                break state;
            }
            // What others commit meanwhile has nothing for this consumer.
            consumer
                .post(&remote, "claim", &json!({ "worker": "w" }))
                .await;
        }
    };
    let acked = consumer.post(&remote, "ack", &ack);
    let both = async { tokio::join!(waits, acked).0 };
    let state = within("G16: it passes", Box::pin(both)).await;
    assert_eq!(state["parked_before"], 0, "G16: {state}");
    consumer.delete(&remote).await;
}

/// Answers are as they are described.
pub async fn are_described(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let description = Description::of(&remote).await;
    let consumer = Consumer::define(&remote, &json!({})).await;
    append(&remote, &consumer.stream("a"), 0, BODY).await;
    harness.settle().await;
    let call = |method, template| Call::new(method, template, "");
    let state = remote.get(&consumer.path).await;
    description.assert_describes(&call(Method::GET, "/consumers/{name}"), &state);
    let names = remote.get("/consumers").await;
    description.assert_describes(&call(Method::GET, "/consumers"), &names);
    let claim = json!({ "worker": "w" });
    let batch = consumer.post(&remote, "claim", &claim).await;
    let claim = call(Method::POST, "/consumers/{name}/claim");
    description.assert_describes(&claim, &batch);
    let wrong = consumer.post(&remote, "claim", &json!({})).await;
    description.assert_describes(&claim, &wrong);
    let batch = accepted(&batch);
    let fenced = with(whole(&batch), "generation", json!(1));
    let fenced = consumer.post(&remote, "ack", &fenced).await;
    let ack = call(Method::POST, "/consumers/{name}/ack");
    description.assert_describes(&ack, &fenced);
    let failed = json!([{ "stream_id": consumer.stream("a"), "changeset_id": 1 }]);
    consumer
        .post(&remote, "ack", &with(whole(&batch), "failed", failed))
        .await;
    let parked = remote.get(&format!("{}/parked", consumer.path)).await;
    let list = call(Method::GET, "/consumers/{name}/parked");
    description.assert_describes(&list, &parked);
    consumer.delete(&remote).await;
    let missing = remote.get(&consumer.path).await;
    description.assert_describes(&call(Method::GET, "/consumers/{name}"), &missing);
}
