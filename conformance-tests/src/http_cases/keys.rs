//! The `Idempotency-Key` header.

use hyper::Method;

use crate::HttpHarness;
use crate::subject::{Remote, Response, unique};
use crate::wire::{BODY, accepted, append, assert_untouched, path, refused};

async fn commit(remote: &Remote, stream: &str, last: u64, keys: &[&str], body: &str) -> Response {
    let path = format!("{}?expected_last_changeset={last}", path(stream));
    let headers: Vec<_> = keys.iter().map(|key| ("Idempotency-Key", *key)).collect();
    remote
        .send(Method::POST, &path, &headers, body.to_owned())
        .await
}

/// A key is 1 to 255 printable ASCII characters, given once.
pub async fn bad_ones_are_refused<H: HttpHarness>(harness: &mut H) {
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
    ] {
        let response = commit(&remote, &stream, 0, &keys, BODY).await;
        refused(&response, "INVALID_IDEMPOTENCY_KEY", Some(&stream));
    }
    assert_untouched(&remote, &stream).await;
}

/// 255 characters, of every kind that there is.
pub async fn the_longest_one_is_taken<H: HttpHarness>(harness: &mut H) {
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
pub async fn a_repeat_is_answered_as_the_first<H: HttpHarness>(harness: &mut H) {
    let remote = harness.remote();
    let stream = unique("keys");
    append(&remote, &stream, 0, BODY).await;
    let path = format!("{}?expected_last_event=1&details=true", path(&stream));
    let headers = [("idempotency-key", "again")];
    let send = || remote.send(Method::POST, &path, &headers, BODY);
    let first = accepted(&send().await);
    assert_eq!(first["changeset_id"], 2);
    for last in 2..5 {
        let mut again = accepted(&send().await);
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
pub async fn another_content_is_refused<H: HttpHarness>(harness: &mut H) {
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
        let response = commit(&remote, &stream, 0, &["key"], other).await;
        refused(&response, "IDEMPOTENCY_KEY_REUSED", Some(&stream));
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
pub async fn a_repeat_is_found_before_a_conflict_is_told<H: HttpHarness>(harness: &mut H) {
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
