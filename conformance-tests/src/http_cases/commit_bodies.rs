//! The body of a commit.

use hyper::Method;
use serde_json::json;

use crate::HttpHarness;
use crate::subject::{Remote, unique};
use crate::wire::{BODY, accepted, append, assert_untouched, path, refused};

const INVALID: &str = "INVALID_BODY";

/// Commits what must be refused, each to the same new stream; then it is still not there.
async fn assert_refused(remote: &Remote, bodies: &[&[u8]], code: &str) {
    let stream = unique("bodies");
    for body in bodies {
        let response = remote.post(&path(&stream), body.to_vec()).await;
        let shown = String::from_utf8_lossy(&body[..body.len().min(80)]);
        assert_eq!(response.status, 400, "G12: {shown}: {}", response.text());
        refused(&response, code, Some(&stream));
    }
    assert_untouched(remote, &stream).await;
}

/// Commits what must be taken; the events and the metadata as they are read then.
async fn taken(remote: &Remote, body: &str) -> String {
    let stream = unique("bodies");
    append(remote, &stream, 0, body.to_owned()).await;
    let page = remote.get(&format!("{}/changesets", path(&stream))).await;
    accepted(&page);
    let begin = r#""changeset_id":1,"#;
    let (_, rest) = page.text().split_once(begin).expect("a changeset");
    let text = rest.trim_end().strip_suffix("}]}").expect("only one");
    text.to_owned()
}

fn nested(levels: usize) -> String {
    format!("{}{}", "[".repeat(levels), "]".repeat(levels))
}

/// Not JSON in UTF-8, or another JSON value than an object.
pub async fn what_is_no_json_object_is_refused(harness: &mut dyn HttpHarness) {
    let bodies: &[&[u8]] = &[
        b"",
        b" ",
        b"x",
        b"events=1",
        b"[]",
        b"[{\"events\":[1]}]",
        b"\"events\"",
        b"null",
        b"1",
        b"true",
        br#"{"events":[1]"#,
        br#"{"events":[1"#,
        br#"{"events":[1,]}"#,
        br#"{"events":[1],}"#,
        br#"{"events":[01]}"#,
        br#"{"events":[+1]}"#,
        br#"{"events":[.5]}"#,
        br#"{"events":[NaN]}"#,
        br#"{"events":['a']}"#,
        br#"{"events":[1] /* all */}"#,
        br#"{"events":[1]}}"#,
        br#"{"events":[1]} x"#,
        br#"{"events":[1]}{"events":[1]}"#,
        b"{\"events\":[1]}\0",
        b"\xef\xbb\xbf{\"events\":[1]}",
        b"{\"events\":[\"\xff\"]}",
        b"{\"events\":[\"\xed\xa0\x80\"]}",
        b"{\"events\":[1],\"x\":\"\xc3\"}",
        b"\xfe\xff\0{\0}",
        b"{\"events\":[\"a\nb\"]}",
        br#"{"events":["\x41"]}"#,
        br#"{"events":["\u12"]}"#,
        br"{events:[1]}",
    ];
    assert_refused(&harness.remote(), bodies, INVALID).await;
}

/// No key twice at the top level, whichever and however written; further down it is the client's.
pub async fn a_key_given_twice_is_refused(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let bodies: &[&[u8]] = &[
        br#"{"events":[1],"events":[1]}"#,
        br#"{"events":[1],"metadata":1,"metadata":1}"#,
        br#"{"metadata":null,"events":[1],"metadata":null}"#,
        br#"{"events":[1],"other":1,"other":2}"#,
        br#"{"events":[1],"\u0065vents":[1]}"#,
        br#"{"\u006detadata":1,"events":[1],"metadata":1}"#,
        br#"{"":1,"events":[1],"":2}"#,
    ];
    assert_refused(&remote, bodies, INVALID).await;
    let inside = taken(
        &remote,
        r#"{"events":[{"a":1,"a":2}],"metadata":{"b":1,"b":1}}"#,
    )
    .await;
    let expected = r#""events":[{"a":1,"a":2}],"metadata":{"b":1,"b":1}"#;
    assert_eq!(inside, expected, "G11: a payload's keys are its own");
    let escaped = taken(&remote, r#"{"\u0065vents":[1]}"#).await;
    assert_eq!(
        escaped, r#""events":[1],"metadata":{}"#,
        "G11: a key may be escaped"
    );
}

/// `events` is there and an array.
pub async fn events_are_an_array(harness: &mut dyn HttpHarness) {
    let bodies: &[&[u8]] = &[
        b"{}",
        br#"{"metadata":{}}"#,
        br#"{"Events":[1]}"#,
        br#"{"event":[1]}"#,
        br#"{"events":null}"#,
        br#"{"events":{}}"#,
        br#"{"events":{"0":1}}"#,
        br#"{"events":"[1]"}"#,
        br#"{"events":1}"#,
        br#"{"events":true}"#,
    ];
    assert_refused(&harness.remote(), bodies, INVALID).await;
}

/// `events` holds something.
pub async fn no_events_are_refused(harness: &mut dyn HttpHarness) {
    let bodies: &[&[u8]] = &[
        br#"{"events":[]}"#,
        br#"{"events": [ ] ,"metadata":{"a":1}}"#,
    ];
    assert_refused(&harness.remote(), bodies, "NO_EVENTS").await;
}

/// A member that the contract does not know, whatever it holds, after the known ones were checked;
/// the refusal suggests the member that was probably meant.
pub async fn other_keys_are_refused(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("bodies");
    for (body, name, meant) in [
        (r#"{"events":[1],"meta":{"a":1}}"#, "meta", Some("metadata")),
        (
            r#"{"METADATA":null,"events":[1]}"#,
            "METADATA",
            Some("metadata"),
        ),
        (r#"{"evnts":[1]}"#, "evnts", Some("events")),
        (
            r#"{"events":[1],"other":{"events":[]},"more":1}"#,
            "other",
            None,
        ),
        (r#"{"":1,"events":[1],"metadata":{}}"#, "", None),
    ] {
        let response = remote.post(&path(&stream), body).await;
        let message = refused(&response, INVALID, Some(&stream));
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
    let body = r#"{"other":1,"events":[]}"#;
    let response = remote.post(&path(&stream), body).await;
    refused(&response, "NO_EVENTS", Some(&stream));
    let deep = format!(r#"{{"events":[1],"other":{}}}"#, nested(120));
    assert_refused(&remote, &[deep.as_bytes()], INVALID).await;
    assert_untouched(&remote, &stream).await;
}

/// `null` is metadata; only absent metadata is `{}`.
pub async fn null_metadata_is_not_absent_metadata(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    for metadata in ["null", "{}", "[]", "0", "\"\"", "false", "1.0"] {
        let body = format!(r#"{{"metadata": {metadata} , "events" : [null] }}"#);
        let stored = taken(&remote, &body).await;
        let expected = format!(r#""events":[null],"metadata":{metadata}"#);
        assert_eq!(stored, expected, "G11");
    }
    let absent = taken(&remote, r#"{"events":[1]}"#).await;
    assert_eq!(absent, r#""events":[1],"metadata":{}"#, "G11");
}

/// 100 levels are taken, 101 are not, in an event as in metadata.
pub async fn a_hundred_levels_of_nesting_and_no_more(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let (fits, too_deep) = (nested(100), nested(101));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(100), "}".repeat(100));
    for fits in [&fits, &objects] {
        let body = format!(r#"{{"events":[1,{fits}],"metadata":{fits}}}"#);
        let stored = taken(&remote, &body).await;
        assert_eq!(stored, body[1..body.len() - 1], "G11: 100 levels");
    }
    let event = format!(r#"{{"events":[1,{too_deep}]}}"#);
    let metadata = format!(r#"{{"events":[1],"metadata":{too_deep}}}"#);
    let object = format!(r#"{{"events":[{{"a":{objects}}}]}}"#);
    let bodies = [event.as_bytes(), metadata.as_bytes(), object.as_bytes()];
    assert_refused(&remote, &bodies, INVALID).await;
}

/// Nesting that would exhaust a stack is refused like any other, and the server lives.
pub async fn thousands_of_levels_do_no_harm(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let deep = nested(20_000);
    let open = "[".repeat(20_000);
    let objects = r#"{"a":"#.repeat(20_000);
    let bodies = [
        format!(r#"{{"events":[{deep}]}}"#),
        format!(r#"{{"events":[1],"metadata":{deep}}}"#),
        format!(r#"{{"events":[{objects}"#),
        format!(r#"{{"events":{open}"#),
        deep,
        open,
    ];
    let bodies: Vec<&[u8]> = bodies.iter().map(String::as_bytes).collect();
    assert_refused(&remote, &bodies, INVALID).await;
    append(&remote, &unique("bodies"), 0, BODY).await;
}

/// An escaped lone surrogate is no text, in values and in keys.
pub async fn half_a_surrogate_pair_is_refused(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let bodies: &[&[u8]] = &[
        br#"{"events":["\ud800"]}"#,
        br#"{"events":["\udc00"]}"#,
        br#"{"events":["\udc00\ud800"]}"#,
        br#"{"events":["\ud800\ud800\udc00"]}"#,
        br#"{"events":["\uD83Dx\uDE00"]}"#,
        br#"{"events":[{"\udfff":1}]}"#,
        br#"{"events":[1],"metadata":"\ud800"}"#,
        br#"{"events":[1],"metadata":{"a":{"\ud800":1}}}"#,
        br#"{"events":[1],"\ud800":1}"#,
    ];
    assert_refused(&remote, bodies, INVALID).await;
    let body =
        r#"{"events":["\ud83d\ude00","\\ud800","\uD83D\uDE00\u0000"],"metadata":{"\\\\ud800":1}}"#;
    let stored = taken(&remote, body).await;
    assert_eq!(
        stored,
        body[1..body.len() - 1],
        "G11: whole pairs and escaped backslashes"
    );
}

/// A client may say what it likes of a body's type.
pub async fn the_content_type_is_not_looked_at(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "",
        "?",
    ] {
        let stream = unique("bodies");
        let headers = [("content-type", kind)];
        let response = remote
            .send(Method::POST, &path(&stream), &headers, BODY)
            .await;
        let expected = json!({"stream_id": stream, "changeset_id": 1});
        assert_eq!(accepted(&response), expected, "content-type: {kind}");
    }
}
