//! One try of a request.

use std::fmt::{self, Display, Write};
use std::time::Duration;

use bytes::Bytes;
use ees_core::{StoreId, Written};
use form_urlencoded::byte_serialize;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request, Response, Url};
use tokio::time::timeout;

use crate::Error;
use crate::settings::Settings;

/// A silent event stream sends a comment every 15 seconds.
const STALLED: Duration = Duration::from_secs(45);

/// The type of an event stream.
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");

/// Room for the query of most requests.
const ROOM: usize = 64;

/// A request.
#[derive(Debug)]
pub(crate) struct Send {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// The query, encoded; nothing without parameters.
    query: String,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Option<Bytes>,
    /// How long the server may wait before it answers.
    pub(crate) wait: Duration,
}

impl Send {
    pub(crate) fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            query: String::new(),
            headers: Vec::new(),
            body: None,
            wait: Duration::ZERO,
        }
    }

    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// Adds a parameter of the query, if it is given.
    pub(crate) fn given(mut self, name: &'static str, value: Option<impl Display>) -> Self {
        if let Some(value) = value {
            if self.query.is_empty() {
                self.query.reserve(ROOM);
            }
            let mark = if self.query.is_empty() { "" } else { "&" };
            self.query.extend([mark, name, "="]);
            // Writing to a string does not fail.
            let _ = write!(Encoded(&mut self.query), "{value}");
        }
        self
    }

    /// Sets a body of JSON.
    pub(crate) fn json(self, body: &impl serde::Serialize) -> Result<Self, Error> {
        let body = serde_json::to_string(body);
        let body =
            body.map_err(|error| Error::Refused(format!("the body is not JSON: {error}")))?;
        Ok(self.body(body))
    }

    /// Sets a body, which is JSON.
    pub(crate) fn body(mut self, body: String) -> Self {
        self.body = Some(body.into());
        self
    }

    /// The URL: the address of the store, which is parsed already, with a path and a query.
    fn url(&self, settings: &Settings) -> Url {
        let mut url = settings.url.clone();
        let above = settings.url.path().trim_end_matches('/');
        if above.is_empty() {
            url.set_path(&self.path);
        } else {
            url.set_path(&[above, &*self.path].concat());
        }
        url.set_query((!self.query.is_empty()).then_some(&*self.query));
        url
    }

    async fn request(&self, settings: &Settings, accept: HeaderValue) -> Result<Request, Error> {
        let mut request = Request::new(self.method.clone(), self.url(settings));
        let headers = request.headers_mut();
        headers.insert(ACCEPT, accept);
        headers.extend(self.headers.iter().cloned());
        if let Some(body) = &self.body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(body.clone().into());
        }
        if let Some(authorize) = &settings.authorize {
            let authorized = authorize.authorize(&mut request).await;
            authorized
                .map_err(|error| Error::lost(format!("not authorized: {error}"), Written::None))?;
        }
        Ok(request)
    }
}

/// Adds values to a query.
struct Encoded<'a>(&'a mut String);

impl fmt::Write for Encoded<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend(byte_serialize(text.as_bytes()));
        Ok(())
    }
}

/// A complete answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn is_json(&self) -> bool {
        has_type(&self.headers, "application/json")
    }
}

/// The text of a header.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The id of the store that answers.
pub(crate) fn store_id(headers: &HeaderMap) -> Option<StoreId> {
    header(headers, "ees-store")?.parse().ok()
}

/// Whether a body has this media type.
fn has_type(headers: &HeaderMap, media_type: &str) -> bool {
    let named = header(headers, "content-type").unwrap_or_default();
    let named = named.split(';').next().unwrap_or_default();
    named.trim().eq_ignore_ascii_case(media_type)
}

/// Sends a request, and reads its answer.
pub(crate) async fn send(settings: &Settings, asked: &Send) -> Result<Answer, Error> {
    let request = asked
        .request(settings, HeaderValue::from_static("application/json"))
        .await?;
    let whole = async { whole(settings.http.execute(request).await.map_err(lost)?).await };
    let within = settings.timeout + asked.wait;
    timeout(within, whole)
        .await
        .unwrap_or_else(|_| late(within))
}

/// What comes when an event stream is asked for.
#[derive(Debug)]
pub(crate) enum Opened {
    /// The event stream.
    Stream(EventStream),
    /// Something else, complete.
    Answer(Answer),
}

/// Asks for an event stream.
pub(crate) async fn open(settings: &Settings, asked: &Send) -> Result<Opened, Error> {
    let request = asked.request(settings, EVENT_STREAM).await?;
    let within = settings.timeout;
    let opened = async {
        let response = settings.http.execute(request).await.map_err(lost)?;
        if response.status() == 200 && has_type(response.headers(), "text/event-stream") {
            return Ok(Opened::Stream(EventStream(response)));
        }
        whole(response).await.map(Opened::Answer)
    };
    timeout(within, opened)
        .await
        .unwrap_or_else(|_| late(within))
}

/// An event stream that is open.
#[derive(Debug)]
pub(crate) struct EventStream(Response);

impl EventStream {
    pub(crate) fn headers(&self) -> &HeaderMap {
        self.0.headers()
    }

    /// The next bytes; nothing at its end, however it came.
    pub(crate) async fn read(&mut self) -> Option<Bytes> {
        timeout(STALLED, self.0.chunk()).await.ok()?.ok()?
    }
}

async fn whole(mut response: Response) -> Result<Answer, Error> {
    Ok(Answer {
        status: response.status().as_u16(),
        headers: std::mem::take(response.headers_mut()),
        body: response.bytes().await.map_err(lost)?,
    })
}

fn late<T>(within: Duration) -> Result<T, Error> {
    let seconds = within.as_secs_f64();
    let reason = format!("none within {seconds} seconds");
    Err(Error::lost(reason, Written::Unknown))
}

/// No answer, or half of one. Without a connection nothing was sent.
fn lost(error: reqwest::Error) -> Error {
    let written = if error.is_connect() || error.is_builder() {
        Written::None
    } else {
        Written::Unknown
    };
    // The address is known to the caller, and its query may be long.
    let error = error.without_url();
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        reason = format!("{reason}: {cause}");
        source = cause.source();
    }
    Error::lost(reason, written)
}
