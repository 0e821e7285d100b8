//! A client of event streams (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{ACCEPT, HeaderName, HeaderValue};
use hyper::{Request, StatusCode};

use super::remote::chain;
use super::{Remote, Response};
use crate::running::waits_for;

/// An open event stream.
#[derive(Debug)]
pub struct EventStream {
    body: Incoming,
    /// What came of the next event.
    rest: Vec<u8>,
}

/// An event as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Its name.
    pub event: String,
    /// Its id.
    pub id: String,
    /// Its data.
    pub data: String,
}

impl Remote {
    /// Opens an event stream.
    ///
    /// # Errors
    /// The answer, if it is not an event stream.
    pub async fn event_stream(
        &self,
        path_and_query: &str,
        last_event_id: Option<&str>,
    ) -> Result<EventStream, Box<Response>> {
        let uri = format!("{}{path_and_query}", self.url());
        let _wait = waits_for(format!("the event stream of {path_and_query} begins"));
        let mut request = Request::builder()
            .uri(uri)
            .header(ACCEPT, "text/event-stream")
            .body(Bytes::new())
            .expect("a request");
        if let Some(id) = last_event_id {
            let name = HeaderName::from_static("last-event-id");
            let id = HeaderValue::from_str(id).expect("an id");
            request.headers_mut().insert(name, id);
        }
        self.access.sign(&mut request).expect("a signature");
        let answered = self.client.request(request.map(Full::new)).await;
        let answered = answered.unwrap_or_else(|error| panic!("no answer: {}", chain(&error)));
        let (head, body) = answered.into_parts();
        let kind = head.headers.get("content-type");
        if head.status == StatusCode::OK && kind.is_some_and(|kind| kind == "text/event-stream") {
            let rest = Vec::new();
            return Ok(EventStream { body, rest });
        }
        let body = body.collect().await.expect("a whole body").to_bytes();
        Err(Box::new(Response {
            status: head.status,
            headers: head.headers,
            body,
            front: &[],
        }))
    }
}

impl EventStream {
    /// The next event; `None` if the stream has ended.
    pub async fn next(&mut self) -> Option<Sent> {
        let _wait = waits_for("the next event of an event stream comes".to_owned());
        loop {
            while let Some(block) = self.block() {
                if let Some(sent) = read(&block) {
                    return Some(sent);
                }
            }
            let frame = self.body.frame().await?.ok()?;
            self.rest.extend(frame.into_data().ok()?);
        }
    }

    /// The next lines up to an empty one.
    fn block(&mut self) -> Option<String> {
        let end = self.rest.windows(2).position(|bytes| bytes == b"\n\n")?;
        let block: Vec<u8> = self.rest.drain(..end + 2).collect();
        Some(String::from_utf8(block).expect("an event stream is UTF-8"))
    }
}

/// The event of a block; `None` if it has no data, such as a comment.
fn read(block: &str) -> Option<Sent> {
    let mut sent = Sent {
        event: "message".to_owned(),
        id: String::new(),
        data: String::new(),
    };
    let mut data = Vec::new();
    for line in block.lines() {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "event" => value.clone_into(&mut sent.event),
            "id" => value.clone_into(&mut sent.id),
            "data" => data.push(value),
            _ => {}
        }
    }
    sent.data = data.join("\n");
    (!data.is_empty()).then_some(sent)
}
