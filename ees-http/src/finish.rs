//! The outermost layer: it begins the context of a request and finishes its answer. Errors get
//! their body, `pp=true` gets its layout, and the request gets its id and its line in the log.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response as HttpResponse, StatusCode,
};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ees_core::{EventStore, MAX_PAGE_BYTES};
use uuid::Uuid;

use crate::access::Caller;
use crate::codes;
use crate::context::RequestContext;
use crate::error::ApiError;
use crate::error_body::render;
use crate::gate::Gate;
use crate::hosts::check_host;
use crate::long_work::work;
use crate::measure::Answers;
use crate::options::Options;
use crate::permit::Permit;
use crate::pretty::pretty;
use crate::turned_away::TurnedAway;

/// The header with the id of a request: the client's or proxy's, otherwise a generated one.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The header with the id of the store, once it is known.
const STORE: HeaderName = HeaderName::from_static("ees-store");

/// The longest time that an answer waits for the id of the store.
const ID_PATIENCE: Duration = Duration::from_secs(1);

/// The longest id that is taken from a client.
const MAX_ID_BYTES: usize = 128;

/// Marks an answer that has no end, in its extensions: it is sent as it comes, and it sees to its own
/// permits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Endless;

/// What the layer needs of its host.
#[derive(Clone)]
pub(crate) struct Host {
    pub(crate) options: Arc<Options>,
    /// The store, if it could be opened.
    pub(crate) store: Option<EventStore>,
    /// The answers that tell that nothing was written.
    pub(crate) refused: Arc<TurnedAway>,
    /// Counts the answers.
    pub(crate) answers: Answers,
    /// The limits on answers, for those that have them.
    pub(crate) gate: Option<Gate>,
}

/// The data of a request that the log and the answer's headers contain.
struct About {
    begun: Instant,
    method: Method,
    path: Option<MatchedPath>,
    id: HeaderValue,
}

/// Begins the context of a request, and finishes its answer. It is the outermost layer: see
/// [`RequestContext`].
pub(crate) async fn finish(State(host): State<Host>, mut request: Request, next: Next) -> Response {
    let about = About::of(&request);
    let context = RequestContext::begin(&mut request, &host.options);
    let mut response = match check_host(&request) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    };
    let error = response.extensions_mut().remove::<ApiError>();
    if let Some(error) = &error {
        let headers = std::mem::take(response.headers_mut());
        let write = || render(error, about.id(), context.layout);
        response = work(error.payload_bytes(), write).await;
        keep(headers, &mut response);
        about.log_failure(error, &host.refused);
    }
    let is_endless = response.extensions_mut().remove::<Endless>().is_some();
    if context.layout.is_pretty && is_json(&response) {
        response = lay_out(response).await;
    }
    let bytes = response.body().size_hint().exact().unwrap_or_default();
    let refused = match &host.gate {
        Some(gate) if !is_endless => make_room(gate, &context.permit, bytes, error.as_ref()).await,
        _ => None,
    };
    if let Some(refused) = &refused {
        response = render(refused, about.id(), context.layout);
    }
    let error = refused.or(error);
    // What was read has been dropped.
    if let (Some(gate), Some(error)) = (&host.gate, &error) {
        gate.hold_back(&context.permit, error).await;
    }
    let code = error.map(|error| error.code.as_str());
    about.log(&response, code, context.caller.get(), &host.answers);
    response.headers_mut().insert(REQUEST_ID, about.id);
    if let Some(store) = host.store
        && let Some(id) = store_id(&store, response.status()).await
    {
        response.headers_mut().insert(STORE, id);
    }
    if is_endless {
        return response;
    }
    context.permit.hold(response).await
}

impl About {
    fn of(request: &Request) -> Self {
        let given = request.headers().get(REQUEST_ID);
        let given = given.filter(|id| id.len() <= MAX_ID_BYTES && id.to_str().is_ok());
        Self {
            begun: Instant::now(),
            method: request.method().clone(),
            path: request.extensions().get().cloned(),
            id: given.cloned().unwrap_or_else(new_id),
        }
    }

    fn id(&self) -> &str {
        self.id.to_str().unwrap_or_default()
    }

    /// Logs and counts an answer: without payload and query, and with the path's template instead of
    /// the path, because stream ids may name people. A caller's key is named, never shown.
    fn log(
        &self,
        response: &Response,
        code: Option<&str>,
        caller: Option<&Caller>,
        answers: &Answers,
    ) {
        let route = self.path.as_ref().map_or("none", MatchedPath::as_str);
        let took = self.begun.elapsed();
        answers.count(&self.method, route, response.status(), took);
        tracing::debug!(
            request_id = self.id(),
            method = %self.method,
            route,
            status = response.status().as_u16(),
            code,
            key = caller.map(Caller::name),
            micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            "answered"
        );
    }

    /// Logs an answer of 5xx. `OVERLOADED` is left to the gate. Answers that tell that nothing was
    /// written, of which a full disk makes many, are logged once a second, with their number.
    fn log_failure(&self, error: &ApiError, refused: &TurnedAway) {
        if !error.status.is_server_error() || error.code == codes::OVERLOADED {
            return;
        }
        let nothing_written = error.more.outcome == Some("none");
        let answers = if nothing_written {
            refused.due()
        } else {
            Some(1)
        };
        if let Some(answers) = answers {
            let cause = error.more.cause.as_deref().unwrap_or("none given");
            let (request_id, code) = (self.id(), error.code.as_str());
            tracing::error!(request_id, code, cause, answers, "{}", error.message);
        }
    }
}

/// Makes room for an answer; an error if there is none. It names what an error before it named.
async fn make_room(
    gate: &Gate,
    permit: &Permit,
    bytes: u64,
    error: Option<&ApiError>,
) -> Option<ApiError> {
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    let mut refused = gate.answer(permit, bytes).await.err()?;
    if let Some(error) = error {
        refused.more.stream_id.clone_from(&error.more.stream_id);
        let key = &error.more.idempotency_key;
        refused.more.idempotency_key.clone_from(key);
    }
    Some(refused)
}

/// The id of the store. If the host has not read it, it is read with the first answer that is no
/// failure. Without it the answer has no id, and the next one tries again.
async fn store_id(store: &EventStore, status: StatusCode) -> Option<HeaderValue> {
    if store.store_id().is_none() && !status.is_server_error() {
        let _ = tokio::time::timeout(ID_PATIENCE, Box::pin(store.identity())).await;
    }
    HeaderValue::try_from(store.store_id()?.to_string()).ok()
}

fn new_id() -> HeaderValue {
    let mut buffer = Uuid::encode_buffer();
    let id = Uuid::new_v4().hyphenated().encode_lower(&mut buffer);
    HeaderValue::from_str(id).unwrap_or_else(|_| HeaderValue::from_static("none"))
}

/// Keeps the headers that the router had set, above all `Allow`.
fn keep(headers: HeaderMap, response: &mut Response) {
    for (name, value) in headers {
        if let Some(name) = name
            && name != CONTENT_LENGTH
            && !response.headers().contains_key(&name)
        {
            response.headers_mut().insert(name, value);
        }
    }
}

fn is_json(response: &Response) -> bool {
    let of = response.headers().get(CONTENT_TYPE);
    of.is_some_and(|of| of.as_bytes() == b"application/json")
}

/// Adds line breaks and indentation to JSON, unless the body would pass the page limit. A single
/// item may be larger than the limit; it is not made larger still.
async fn lay_out(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    // The answers are whole in memory already.
    let Ok(json) = to_bytes(body, usize::MAX).await else {
        return HttpResponse::from_parts(head, Body::empty());
    };
    match work(json.len(), || pretty(&json, 0, MAX_PAGE_BYTES)).await {
        Some(mut lines) => {
            lines.push(b'\n');
            head.headers.remove(CONTENT_LENGTH);
            HttpResponse::from_parts(head, lines.into())
        }
        None => HttpResponse::from_parts(head, json.into()),
    }
}

/// The answer after a panic in a handler.
#[allow(clippy::needless_pass_by_value)] // the layer's signature
pub(crate) fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
    let cause = format!("panic: {}", text.unwrap_or_default());
    ApiError::internal(cause).into_response()
}
