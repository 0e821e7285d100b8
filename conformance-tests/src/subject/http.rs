//! A store over HTTP: the REST contract's client.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Ask, Changeset, Committed, Event, Expect, Failure, GlobalEvent, GlobalEventPage, GlobalPage,
    GlobalRead, Head, Page, Read, Statistics, Subject,
};

/// What may stand in a path segment or a query value as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// How long statistics may take to reach a version.
const STATISTICS_WITHIN: Duration = Duration::from_secs(90);

/// A store behind a URL.
pub struct Remote {
    url: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// An answer as it came.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Response {
    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body in UTF-8")
    }

    /// The body as JSON. Numbers that fit into none of Rust's are null: the order may tell of what
    /// others committed.
    pub fn json(&self) -> serde_json::Value {
        let plain = serde_json::from_slice(&self.body);
        plain.unwrap_or_else(|_| lenient(self.read()))
    }

    /// A header's value, if it is there.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn read<'a, T: Deserialize<'a>>(&'a self) -> T {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{}: {error}: {}", self.status, self.text()))
    }
}

impl Remote {
    /// The store behind a URL without a slash at the end.
    pub fn new(url: impl Into<String>) -> Arc<Self> {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Arc::new(Self {
            url: url.into(),
            client,
        })
    }

    /// GETs a path and query from a server that may not be there.
    ///
    /// # Errors
    /// What went wrong, if no answer came.
    pub async fn try_get(&self, path_and_query: &str) -> Result<Response, String> {
        let uri = format!("{}{path_and_query}", self.url);
        let request = Request::builder().uri(uri).body(Full::default());
        let request = request.map_err(|error| chain(&error))?;
        self.exchange(request).await
    }

    /// Sends a request as it is: the path and query are not touched.
    pub async fn send(
        &self,
        method: Method,
        path_and_query: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Response {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path_and_query}", self.url))
            .body(Full::new(body.into()))
            .expect("a request");
        for (name, value) in headers {
            request.headers_mut().append(
                HeaderName::from_bytes(name.as_bytes()).expect("a header's name"),
                HeaderValue::from_bytes(value.as_bytes()).expect("a header's value"),
            );
        }
        let answered = self.exchange(request).await;
        answered.unwrap_or_else(|error| panic!("no answer from {}: {error}", self.url))
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Response, String> {
        let response = self.client.request(request).await;
        let (head, body) = response.map_err(|error| chain(&error))?.into_parts();
        let body = body.collect().await.map_err(|error| chain(&error))?;
        Ok(Response {
            status: head.status,
            headers: head.headers,
            body: body.to_bytes(),
        })
    }

    /// GETs a path and query.
    pub async fn get(&self, path_and_query: &str) -> Response {
        self.send(Method::GET, path_and_query, &[], "").await
    }

    /// POSTs a body to a path and query.
    pub async fn post(&self, path_and_query: &str, body: impl Into<Bytes>) -> Response {
        self.send(Method::POST, path_and_query, &[], body).await
    }

    async fn read<T>(
        &self,
        path_and_query: &str,
        take: impl FnOnce(&Response) -> T,
    ) -> Result<T, Failure> {
        let response = self.get(path_and_query).await;
        accept(&response)?;
        Ok(take(&response))
    }
}

fn lenient(raw: &RawValue) -> serde_json::Value {
    let text = raw.get();
    if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(text) {
        return items.into_iter().map(lenient).collect();
    }
    if let Ok(fields) = serde_json::from_str::<BTreeMap<String, &RawValue>>(text) {
        let fields = fields.into_iter();
        return fields.map(|(name, value)| (name, lenient(value))).collect();
    }
    serde_json::from_str(text).unwrap_or_default()
}

/// An error and what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

/// Writes a stream id as a path segment.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

fn accept(response: &Response) -> Result<(), Failure> {
    if response.status == StatusCode::OK {
        return Ok(());
    }
    let error: WireError = response.read();
    Err(Failure {
        code: error.error,
        message: error.message,
        forthcoming: error.forthcoming_changesets.map(|items| Page {
            next: error.next,
            items: items
                .into_iter()
                .map(|item| item.into_changeset(error.stream_id.as_deref()))
                .collect(),
        }),
    })
}

#[async_trait]
impl Subject for Remote {
    async fn commit(&self, ask: &Ask) -> Result<Committed, Failure> {
        let (name, last) = match ask.expect {
            Expect::Changeset(last) => ("expected_last_changeset", last),
            Expect::Event(last) => ("expected_last_event", last),
        };
        let path = format!(
            "/streams/{}?{name}={last}&details=true",
            encode(&ask.stream)
        );
        let body = match &ask.metadata {
            Some(metadata) => format!(r#"{{"metadata":{metadata},"events":{}}}"#, ask.events),
            None => format!(r#"{{"events":{}}}"#, ask.events),
        };
        let key = ask.key.as_deref().map(|key| ("idempotency-key", key));
        let response = self.send(Method::POST, &path, key.as_slice(), body).await;
        accept(&response)?;
        let wire: WireCommitted = response.read();
        Ok(Committed {
            stream: wire.stream_id,
            changeset_id: wire.changeset_id,
            first_event_id: wire.first_event_id,
            last_event_id: wire.last_event_id,
            timestamp: wire.timestamp,
            checkpoint: wire.checkpoint,
        })
    }

    async fn head(&self, stream: &str) -> Result<Head, Failure> {
        let path = format!("/streams/{}", encode(stream));
        self.read(&path, |response| {
            let wire: WireHead = response.read();
            assert_eq!(wire.stream_id, stream);
            Head {
                last_changeset: wire.last_changeset,
                last_event: wire.last_event,
                last_timestamp: wire.last_timestamp,
            }
        })
        .await
    }

    async fn changesets(&self, stream: &str, read: &Read) -> Result<Page<Changeset>, Failure> {
        let path = format!("/streams/{}/changesets?{}", encode(stream), query(read));
        self.read(&path, |response| {
            let wire: WireChangesets = response.read();
            assert_eq!(wire.stream_id, stream);
            let items = wire.changesets.into_iter();
            Page {
                next: wire.next,
                items: items
                    .map(|item| item.into_changeset(Some(stream)))
                    .collect(),
            }
        })
        .await
    }

    async fn events(&self, stream: &str, read: &Read) -> Result<Page<Event>, Failure> {
        let path = format!("/streams/{}/events?{}", encode(stream), query(read));
        self.read(&path, |response| {
            let wire: WireEvents = response.read();
            assert_eq!(wire.stream_id, stream);
            let items = wire.events.into_iter().map(|event| Event {
                id: event.id,
                data: event.data.get().to_owned(),
            });
            Page {
                next: wire.next,
                items: items.collect(),
            }
        })
        .await
    }

    async fn global_changesets(&self, read: &GlobalRead<u64>) -> Result<GlobalPage, Failure> {
        let path = format!(
            "/changesets?checkpoint={}&details=true{}",
            read.checkpoint,
            limit_and_wait(read)
        );
        self.read(&path, |response| {
            let wire: WireGlobal = response.read();
            assert_eq!(wire.checkpoint, read.checkpoint);
            let items = wire.changesets.into_iter();
            GlobalPage {
                changesets: items.map(|item| item.into_changeset(None)).collect(),
                next_checkpoint: wire.next_checkpoint,
            }
        })
        .await
    }

    async fn global_events(
        &self,
        read: &GlobalRead<(u64, u64)>,
    ) -> Result<GlobalEventPage, Failure> {
        let (changeset, index) = read.checkpoint;
        let path = format!(
            "/events?checkpoint={changeset}.{index}{}",
            limit_and_wait(read)
        );
        self.read(&path, |response| {
            let wire: WireGlobalEvents = response.read();
            let events = wire.events.into_iter().map(|event| GlobalEvent {
                stream: event.stream_id,
                changeset_id: event.changeset_id,
                event_id: event.event_id,
                data: event.data.get().to_owned(),
                checkpoint: position(&event.checkpoint),
            });
            GlobalEventPage {
                events: events.collect(),
                next_checkpoint: position(&wire.next_checkpoint),
            }
        })
        .await
    }

    async fn next_checkpoint(&self) -> Result<u64, Failure> {
        self.read("/changesets?checkpoint=head", |response| {
            // Something may have been committed before the server looked for changesets there.
            response.read::<WireEnd>().checkpoint
        })
        .await
    }

    async fn statistics_at(&self, version: u64) -> Result<Statistics, Failure> {
        let begun = Instant::now();
        loop {
            let wire: WireStatistics = self.read("/streams", |response| response.read()).await?;
            if wire.statistics_version >= version {
                return Ok(Statistics {
                    total_streams: wire.total_streams,
                    total_changesets: wire.total_changesets,
                    total_events: wire.total_events,
                    max_stream_length: wire.max_stream_length,
                    version: wire.statistics_version,
                });
            }
            assert!(
                begun.elapsed() < STATISTICS_WITHIN,
                "G13: statistics stay at {}, before {version}",
                wire.statistics_version
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn query(read: &Read) -> String {
    let number = |name: &str, value: Option<u64>| {
        value.map_or_else(String::new, |value| format!("&{name}={value}"))
    };
    format!(
        "details=true{}{}{}{}",
        number("from", read.from),
        number("to", read.to),
        number("limit", read.limit),
        if read.backward {
            "&direction=backward"
        } else {
            ""
        }
    )
}

fn limit_and_wait<C>(read: &GlobalRead<C>) -> String {
    let limit = read
        .limit
        .map_or_else(String::new, |limit| format!("&limit={limit}"));
    let wait = read.wait.as_secs();
    if wait == 0 {
        limit
    } else {
        format!("{limit}&wait={wait}")
    }
}

fn position(text: &str) -> (u64, u64) {
    let (changeset, index) = text.split_once('.').expect("a checkpoint `c.i`");
    (changeset.parse().unwrap(), index.parse().unwrap())
}

#[derive(Deserialize)]
struct WireCommitted {
    stream_id: String,
    changeset_id: u64,
    first_event_id: u64,
    last_event_id: u64,
    timestamp: String,
    checkpoint: Option<u64>,
}

#[derive(Deserialize)]
struct WireHead {
    stream_id: String,
    last_changeset: u64,
    last_event: u64,
    last_timestamp: String,
}

#[derive(Deserialize)]
struct WireChangesets<'a> {
    stream_id: String,
    #[serde(borrow)]
    changesets: Vec<WireChangeset<'a>>,
    next: Option<u64>,
}

#[derive(Deserialize)]
struct WireChangeset<'a> {
    stream_id: Option<String>,
    changeset_id: u64,
    first_event_id: u64,
    last_event_id: u64,
    timestamp: String,
    #[serde(borrow)]
    events: &'a RawValue,
    #[serde(borrow)]
    metadata: &'a RawValue,
    checkpoint: Option<u64>,
}

impl WireChangeset<'_> {
    fn into_changeset(self, stream: Option<&str>) -> Changeset {
        Changeset {
            stream: stream
                .map(str::to_owned)
                .or(self.stream_id)
                .expect("a stream"),
            changeset_id: self.changeset_id,
            first_event_id: self.first_event_id,
            last_event_id: self.last_event_id,
            timestamp: self.timestamp,
            events: self.events.get().to_owned(),
            metadata: self.metadata.get().to_owned(),
            checkpoint: self.checkpoint,
        }
    }
}

#[derive(Deserialize)]
struct WireEvents<'a> {
    stream_id: String,
    #[serde(borrow)]
    events: Vec<WireEvent<'a>>,
    next: Option<u64>,
}

#[derive(Deserialize)]
struct WireEvent<'a> {
    id: u64,
    #[serde(borrow)]
    data: &'a RawValue,
}

#[derive(Deserialize)]
struct WireGlobal<'a> {
    checkpoint: u64,
    #[serde(borrow)]
    changesets: Vec<WireChangeset<'a>>,
    next_checkpoint: u64,
}

#[derive(Deserialize)]
struct WireEnd {
    checkpoint: u64,
}

#[derive(Deserialize)]
struct WireGlobalEvents<'a> {
    #[serde(borrow)]
    events: Vec<WireGlobalEvent<'a>>,
    next_checkpoint: String,
}

#[derive(Deserialize)]
struct WireGlobalEvent<'a> {
    stream_id: String,
    changeset_id: u64,
    event_id: u64,
    #[serde(borrow)]
    data: &'a RawValue,
    checkpoint: String,
}

#[derive(Deserialize)]
struct WireStatistics {
    total_streams: u64,
    total_changesets: u64,
    total_events: u64,
    max_stream_length: u64,
    statistics_version: u64,
}

#[derive(Deserialize)]
struct WireError<'a> {
    error: String,
    message: String,
    stream_id: Option<String>,
    #[serde(borrow)]
    forthcoming_changesets: Option<Vec<WireChangeset<'a>>>,
    next: Option<u64>,
}
