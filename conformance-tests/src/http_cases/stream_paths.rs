//! Stream ids in the path.

use hyper::Method;

use crate::HttpHarness;
use crate::subject::unique;
use crate::wire::{
    BODY, accepted, append, changesets_call, events_call, path, position, refused, stream_calls,
};

/// `/streams//changesets` names no stream.
pub async fn an_empty_one_is_missing(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    for call in stream_calls("/streams/") {
        for query in ["", "from=x&expected_last_changeset=x&pp=x"] {
            let response = call.send(&remote, query).await;
            refused(&response, "MISSING_STREAM_ID", None);
        }
    }
}

/// A path is percent-encoded UTF-8.
pub async fn an_encoding_that_is_no_text_is_invalid(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    for bad in [
        "%ff",
        "a%c3",
        "%c3%28",
        "%ed%a0%80",
        "%c0%80",
        "%f5%80%80%80",
        "%",
        "50%",
        "%zz",
        "a%2",
        "%%41",
    ] {
        for call in stream_calls(&format!("/streams/{bad}")) {
            let response = call.send(&remote, "").await;
            if !response.is_of_the_front() {
                refused(&response, "INVALID_STREAM_ID", None);
            }
        }
    }
}

/// Too long, with a control character, or reserved.
pub async fn what_no_stream_may_be_called_is_invalid(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let long = "x".repeat(1025);
    let wide = "\u{e9}".repeat(513);
    let mut bad: Vec<String> = vec![long, wide];
    bad.extend(["!!!RESERVED", "!!!RESERVED:x"].map(str::to_owned));
    for control in ['\0', '\t', '\n', '\r', '\u{1b}', '\u{7f}', '\u{85}'] {
        bad.push(format!("before{control}after"));
    }
    for stream in bad {
        for call in stream_calls(&path(&stream)) {
            let response = call.send(&remote, "").await;
            refused(&response, "INVALID_STREAM_ID", Some(&stream));
        }
    }
}

/// Whatever else a client can percent-encode is a stream's name, in every call.
pub async fn any_other_text_works_in_every_call(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let room = 1024 - unique("").len();
    let long = "x".repeat(room);
    for text in [
        "a/b",
        "a//b/",
        "?x=1",
        "#",
        "50%",
        "%2F",
        "a b",
        "a+b",
        " ",
        "..",
        "\"'\\",
        "&=;:@!$,",
        "\u{e4}\u{20ac}\u{1f600}",
        "e\u{301}",
        "!!RESERVED",
        "\u{feff}",
        long.as_str(),
    ] {
        let stream = unique(text);
        let committed = append(&remote, &stream, 0, BODY).await;
        assert_eq!(committed["stream_id"], stream, "G11: {text}");
        let reads = stream_calls(&path(&stream)).into_iter();
        for call in reads.filter(|call| call.method == Method::GET) {
            let read = accepted(&call.send(&remote, "").await);
            assert_eq!(read["stream_id"], stream, "G11: {text}");
        }
        harness.settle().await;
        let at = position(&remote, &stream, 1).await;
        let there = accepted(&remote.get(&format!("/changesets?checkpoint={at}")).await);
        assert_eq!(there["changesets"][0]["stream_id"], stream, "G11: {text}");
    }
}

/// Reads of a stream without a changeset, with whatever range.
pub async fn a_missing_stream_is_not_found(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("missing");
    let path = path(&stream);
    let [_, head, ..] = stream_calls(&path);
    for call in [head, changesets_call(&path), events_call(&path)] {
        for query in ["", "details=true", "from=5", "to=0", "direction=backward"] {
            let is_range = !matches!(query, "" | "details=true");
            if is_range && call.template == "/streams/{stream_id}" {
                continue;
            }
            let response = call.send(&remote, query).await;
            let message = refused(&response, "STREAM_NOT_FOUND", Some(&stream));
            assert!(
                message.contains(&stream),
                "G12: `{message}` names the stream"
            );
        }
    }
}
