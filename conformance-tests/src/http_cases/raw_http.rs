//! HTTP itself: requests that other clients send.

use super::sizes::{TOO_LARGE, assert_tells_sizes};
use crate::HttpHarness;
use crate::subject::unique;
use crate::wire::socket::Socket;
use crate::wire::{BODY, accepted, assert_untouched, path};

const REST: &str = "HTTP/1.1\r\nHost: localhost\r\n";

/// A client may send the next request before it has the last answer.
pub async fn requests_may_be_sent_ahead(harness: &mut dyn HttpHarness) {
    let stream = path(&unique("raw"));
    let length = BODY.len();
    let post = format!("POST {stream} {REST}Content-Length: {length}\r\n\r\n{BODY}");
    let get = format!("GET {stream} {REST}\r\n");
    let mut socket = Socket::connect(harness.remote().url()).await;
    socket.send(format!("{get}{post}{get}{post}{get}")).await;
    for (at, expected) in [404, 200, 200, 409, 200].into_iter().enumerate() {
        let answer = socket.receive().await;
        assert_eq!(answer.status, expected, "G5: answer {at}: {}", answer.body);
    }
}

/// Chunks of any size, with extensions and trailers.
pub async fn a_body_may_come_in_chunks(harness: &mut dyn HttpHarness) {
    let stream = unique("raw");
    let event = "{\"text\":\"\u{e9}\u{1f600}\"}";
    let body = format!(r#"{{"events":[{event}]}}"#);
    let mut socket = Socket::connect(harness.remote().url()).await;
    let head = format!(
        "POST {} {REST}Transfer-Encoding: chunked\r\n\r\n",
        path(&stream)
    );
    socket.send(head).await;
    for byte in body.as_bytes() {
        socket
            .send([b"1;a=b\r\n", &[*byte][..], b"\r\n"].concat())
            .await;
    }
    socket.send("0\r\nTrailer: x\r\n\r\n").await;
    let answer = socket.receive().await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let remote = harness.remote();
    let read = remote.get(&format!("{}/events", path(&stream))).await;
    accepted(&read);
    assert!(read.text().contains(event), "G11: {}", read.text());
}

/// HTTP/1.0, without a Host.
pub async fn old_clients_are_answered(harness: &mut dyn HttpHarness) {
    let mut socket = Socket::connect(harness.remote().url()).await;
    socket.send("GET /version HTTP/1.0\r\n\r\n").await;
    let answer = socket.receive().await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.body.contains("version"), "{}", answer.body);
    assert!(socket.is_closed().await, "HTTP/1.0 ends with the answer");
}

/// The layer below refuses what is no HTTP, and others are not disturbed.
pub async fn what_is_no_http_is_refused(harness: &mut dyn HttpHarness) {
    for garbage in [
        "hello\r\n\r\n",
        "GET\r\n\r\n",
        "GET /version HTTP/1.1\r\nno colon\r\n\r\n",
        "GET /ver sion HTTP/1.1\r\n\r\n",
        "GET /version HTTP/9.9\r\n\r\n",
        "POST /streams/raw HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        "POST /streams/raw HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    ] {
        let mut socket = Socket::connect(harness.remote().url()).await;
        socket.send(garbage).await;
        let answer = socket.receive().await;
        assert_eq!(answer.status, 400, "G12: {garbage}: {}", answer.body);
        assert!(socket.is_closed().await, "G12: {garbage}: the end");
    }
    accepted(&harness.remote().get("/version").await);
}

/// A client that goes away in the middle of its body has committed nothing.
pub async fn a_body_that_breaks_off_changes_nothing(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("raw");
    let whole = BODY.len() + 1;
    for head in [
        format!("Content-Length: {whole}\r\n\r\n{BODY}"),
        format!(
            "Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{BODY}\r\n",
            BODY.len()
        ),
        format!("Transfer-Encoding: chunked\r\n\r\n{whole:x}\r\n{BODY}"),
    ] {
        let mut socket = Socket::connect(harness.remote().url()).await;
        socket
            .send(format!("POST {} {REST}{head}", path(&stream)))
            .await;
        socket.finish().await;
    }
    assert_untouched(&remote, &stream).await;
}

/// A body over the limit, in chunks, which do not announce the size.
pub async fn a_body_in_chunks_over_the_limit_is_refused(harness: &mut dyn HttpHarness) {
    let remote = harness.remote();
    let stream = unique("sizes");
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x1_0000));
    let limit = harness.capabilities().max_changeset_bytes;
    let count = limit / 0x1_0000 + 16;
    let mut socket = Socket::connect(remote.url()).await;
    let head = "Transfer-Encoding: chunked\r\n\r\n";
    socket
        .send(format!("POST {} {REST}{head}", path(&stream)))
        .await;
    for _ in 0..count {
        socket.send(&chunk).await;
    }
    socket.send("0\r\n\r\n").await;
    let answer = socket.receive().await;
    assert_eq!(answer.status, 413, "G12: {}", answer.body);
    let body: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(body["error"], TOO_LARGE, "G12: {body}");
    assert_tells_sizes(body["message"].as_str().unwrap_or_default(), limit + 1);
    socket.send(format!("GET /version {REST}\r\n")).await;
    let next = socket.receive().await;
    assert_eq!(next.status, 200, "G12: the connection is as good as before");
    assert_untouched(&remote, &stream).await;
}
