//! The `Idempotency-Key` header.

use hyper::Method;

use crate::HttpHarness;
use crate::subject::{Remote, Response, unique};
use crate::wire::{BODY, accepted, append, assert_fields, assert_untouched, error, path, refused};

async fn commit(remote: &Remote, stream: &str, last: u64, keys: &[&str], body: &str) -> Response {
    let path = format!("{}?expected_last_changeset={last}", path(stream));
    let headers: Vec<_> = keys.iter().map(|key| ("Idempotency-Key", *key)).collect();
    remote
        .send(Method::POST, &path, &headers, body.to_owned())
        .await
}

/// A key is 1 to 255 printable ASCII characters, given once.
pub async fn bad_ones_are_refused(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("keys");
    let long = "k".repeat(256);
    for keys in [
        vec![""],
        vec!["   "],
        vec![&long],
        vec!["\u{e9}"],
        vec!["a\tb"],
        vec!["\u{1f511}"],
        vec!["a", "a"],
        vec!["a", "b"],
        vec!["a", ""],
        vec!["", ""],
        vec!["ees-none"],
    ] {
        if keys.len() > 1 && remote.front().joins_headers() {
            continue;
        }
        let response = commit(&remote, &stream, 0, &keys, BODY).await;
        if !response.is_of_the_front() {
            refused(&response, "INVALID_IDEMPOTENCY_KEY", Some(&stream));
        }
    }
    assert_untouched(&remote, &stream).await;
}

/// 255 characters, of every kind that there is.
pub async fn the_longest_one_is_taken(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let printable: String = ('!'..='~').collect();
    let long = "k".repeat(255);
    for key in [long.as_str(), &printable, "a b", "0", ","] {
        let stream = unique("keys");
        for _ in 0..2 {
            let answer = accepted(&commit(&remote, &stream, 0, &[key], BODY).await);
            assert_eq!(answer["changeset_id"], 1, "G10: {key}");
        }
    }
}

/// The very same answer, details too, however far the stream has moved.
pub async fn a_repeat_is_answered_as_the_first(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("keys");
    append(&remote, &stream, 0, BODY).await;
    let path = format!("{}?expected_last_event=1&details=true", path(&stream));
    let headers = [("idempotency-key", "again")];
    let send = || remote.send(Method::POST, &path, &headers, BODY);
    let first = send().await;
    assert_eq!(first.header("idempotency-replayed"), None, "G10: the first");
    let first = accepted(&first);
    assert_eq!(first["changeset_id"], 2);
    for last in 2..5 {
        let again = send().await;
        let replayed = again.header("idempotency-replayed");
        assert_eq!(replayed, Some("true"), "G10: a repeat's answer says so");
        let mut again = accepted(&again);
        if first.get("checkpoint").is_none() {
            // By now it may have one.
            again
                .as_object_mut()
                .expect("an object")
                .remove("checkpoint");
        }
        assert_eq!(again, first, "G10: the first answer");
        append(&remote, &stream, last, BODY).await;
    }
    let plain = accepted(&commit(&remote, &stream, 1, &["again"], BODY).await);
    assert_eq!(plain["changeset_id"], 2, "G10: by changeset as by event");
}

/// A key stands for the bytes of events and metadata that it came with.
pub async fn another_content_is_refused(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("keys");
    let body = r#"{"events":[{"a":1}]}"#;
    accepted(&commit(&remote, &stream, 0, &["key"], body).await);
    for other in [
        r#"{"events":[{"a":2}]}"#,
        r#"{"events":[{"a": 1}]}"#,
        r#"{"events":[{"a":1},{"a":1}]}"#,
        r#"{"events":[{"a":1}],"metadata":null}"#,
        r#"{"events":[{"a":1}],"metadata":{ }}"#,
    ] {
        for last in [0, 1, 7] {
            let response = commit(&remote, &stream, last, &["key"], other).await;
            let told = error(&response, "IDEMPOTENCY_KEY_REUSED");
            let fields = ["error", "message", "stream_id", "changeset_id", "changeset"];
            assert_fields(&told, &fields);
            assert_eq!(told["changeset_id"], 1, "G10: {told}");
            assert_eq!(told["changeset"]["changeset_id"], 1, "G10: {told}");
            let events = &told["changeset"]["events"];
            assert_eq!(events.to_string(), r#"[{"a":1}]"#, "G10: {told}");
            let key = told["changeset"].get("idempotency_key");
            assert_eq!(key, None, "G10: without details");
        }
    }
    for same in [
        r#" { "events" : [{"a":1}] } "#,
        r#"{"metadata":{},"events":[{"a":1}]}"#,
    ] {
        accepted(&commit(&remote, &stream, 0, &["key"], same).await);
    }
    let head = accepted(&remote.get(&path(&stream)).await);
    assert_eq!(head["last_changeset"], 1, "G10: nothing was stored again");
}

/// A repeat never conflicts. Another key with the same expectation does.
pub async fn a_repeat_is_found_before_a_conflict_is_told(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("keys");
    accepted(&commit(&remote, &stream, 0, &["one"], BODY).await);
    append(&remote, &stream, 1, BODY).await;
    let repeat = commit(&remote, &stream, 0, &["one"], BODY).await;
    assert_eq!(repeat.status, 200, "G10: {}", repeat.text());
    for keys in [vec!["two"], vec![]] {
        let response = commit(&remote, &stream, 0, &keys, BODY).await;
        assert_eq!(response.status, 409, "G2: {}", response.text());
    }
}

/// A key that stands is answered before an expectation that is ahead or outdated, and after a wrong
/// body.
pub async fn the_key_comes_before_the_expectation(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("keys");
    accepted(&commit(&remote, &stream, 0, &["one"], BODY).await);
    append(&remote, &stream, 1, BODY).await;
    for last in [0, 1, 2, 3, 1000] {
        let repeat = commit(&remote, &stream, last, &["one"], BODY).await;
        let answer = accepted(&repeat);
        assert_eq!(answer["changeset_id"], 1, "G10: {answer}");
        let wrong = commit(&remote, &stream, last, &["one"], "x").await;
        refused(&wrong, "INVALID_BODY", Some(&stream));
    }
}

/// With `details=true` reads tell the key of each changeset, a client's or one that the store made.
pub async fn reads_tell_them_where_asked(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("keys");
    accepted(&commit(&remote, &stream, 0, &["mine"], BODY).await);
    append(&remote, &stream, 1, BODY).await;
    let read = format!("{}/changesets", path(&stream));
    let plain = accepted(&remote.get(&read).await);
    let detailed = accepted(&remote.get(&format!("{read}?details=true")).await);
    for at in 0..2 {
        let key = plain["changesets"][at].get("idempotency_key");
        assert_eq!(key, None, "G10: {plain}");
    }
    let key = |at: usize| &detailed["changesets"][at]["idempotency_key"];
    assert_eq!(key(0), "mine", "G10: {detailed}");
    let made = key(1).as_str().unwrap_or_default();
    assert!(made.starts_with("ees-"), "G10: {detailed}");
}
