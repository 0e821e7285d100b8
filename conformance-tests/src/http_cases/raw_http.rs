//! HTTP itself: what other clients than ours send.

use crate::HttpHarness;
use crate::subject::unique;
use crate::wire::socket::Socket;
use crate::wire::{BODY, accepted, assert_untouched, path, remote};

const REST: &str = "HTTP/1.1\r\nHost: ees\r\n";

/// A client may send the next request before it has the last answer.
pub async fn requests_may_be_sent_ahead<H: HttpHarness>(harness: &mut H) {
    let stream = path(&unique("raw"));
    let length = BODY.len();
    let post = format!("POST {stream} {REST}Content-Length: {length}\r\n\r\n{BODY}");
    let get = format!("GET {stream} {REST}\r\n");
    let mut socket = Socket::connect(&harness.url()).await;
    socket.send(format!("{get}{post}{get}{post}{get}")).await;
    for (at, expected) in [404, 200, 200, 409, 200].into_iter().enumerate() {
        let answer = socket.receive().await;
        assert_eq!(answer.status, expected, "G5: answer {at}: {}", answer.body);
    }
}

/// Chunks of any size, with extensions and trailers.
pub async fn a_body_may_come_in_chunks<H: HttpHarness>(harness: &mut H) {
    let stream = unique("raw");
    let event = "{\"text\":\"\u{e9}\u{1f600}\"}";
    let body = format!(r#"{{"events":[{event}]}}"#);
    let mut socket = Socket::connect(&harness.url()).await;
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
    let remote = remote(harness);
    let read = remote.get(&format!("{}/events", path(&stream))).await;
    accepted(&read);
    assert!(read.text().contains(event), "G11: {}", read.text());
}

/// HTTP/1.0, without a Host.
pub async fn old_clients_are_answered<H: HttpHarness>(harness: &mut H) {
    let mut socket = Socket::connect(&harness.url()).await;
    socket.send("GET /version HTTP/1.0\r\n\r\n").await;
    let answer = socket.receive().await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.body.contains("version"), "{}", answer.body);
    assert!(socket.is_closed().await, "HTTP/1.0 ends with the answer");
}

/// The layer below refuses what is no HTTP, and others are not disturbed.
pub async fn what_is_no_http_is_refused<H: HttpHarness>(harness: &mut H) {
    for garbage in [
        "hello\r\n\r\n",
        "GET\r\n\r\n",
        "GET /version HTTP/1.1\r\nno colon\r\n\r\n",
        "GET /ver sion HTTP/1.1\r\n\r\n",
        "GET /version HTTP/9.9\r\n\r\n",
        "POST /streams/raw HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        "POST /streams/raw HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    ] {
        let mut socket = Socket::connect(&harness.url()).await;
        socket.send(garbage).await;
        let answer = socket.receive().await;
        assert_eq!(answer.status, 400, "G12: {garbage}: {}", answer.body);
        assert!(socket.is_closed().await, "G12: {garbage}: the end");
    }
    accepted(&remote(harness).get("/version").await);
}

/// A client that goes away in the middle of its body has committed nothing.
pub async fn a_body_that_breaks_off_changes_nothing<H: HttpHarness>(harness: &mut H) {
    let remote = remote(harness);
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
        let mut socket = Socket::connect(&harness.url()).await;
        socket
            .send(format!("POST {} {REST}{head}", path(&stream)))
            .await;
        socket.finish().await;
    }
    assert_untouched(&remote, &stream).await;
}
