//! The last step of every answer: errors get their body, white space is laid out, the request gets
//! its id and its line in the log.

use std::time::Instant;

use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response as HttpResponse};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ees_core::MAX_PAGE_BYTES;
use uuid::Uuid;

use crate::error::ApiError;
use crate::gate::Place;
use crate::params::Params;
use crate::pretty::pretty;

/// The header that names a request: a proxy's is kept, otherwise one is made.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken from a client.
const MAX_ID_BYTES: usize = 128;

/// What has to be known of a request when its answer is finished.
struct About {
    begun: Instant,
    method: Method,
    path: Option<MatchedPath>,
    id: HeaderValue,
    is_pretty: bool,
}

/// Finishes an answer.
pub(crate) async fn finish(request: Request, next: Next) -> Response {
    let about = About::of(&request);
    let mut response = next.run(request).await;
    let place = response.extensions_mut().remove::<Place>();
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        let headers = std::mem::take(response.headers_mut());
        response = error.render(about.id(), about.is_pretty);
        keep(headers, &mut response);
        about.log_failure(&error);
    }
    if about.is_pretty {
        response = lay_out(response).await;
    }
    about.log(&response);
    response.headers_mut().insert(REQUEST_ID, about.id);
    match place {
        Some(place) => place.hold(response).await,
        None => response,
    }
}

impl About {
    fn of(request: &Request) -> Self {
        let common = Params::of(request.uri()).common();
        let given = request.headers().get(REQUEST_ID);
        let given = given.filter(|id| id.len() <= MAX_ID_BYTES && id.to_str().is_ok());
        Self {
            begun: Instant::now(),
            method: request.method().clone(),
            path: request.extensions().get().cloned(),
            id: given.cloned().unwrap_or_else(new_id),
            is_pretty: common.is_ok_and(|common| common.pretty),
        }
    }

    fn id(&self) -> &str {
        self.id.to_str().unwrap_or_default()
    }

    /// A line for every answer: no payload, no query, and the path as the router has it, as stream
    /// ids may name people.
    fn log(&self, response: &Response) {
        tracing::debug!(
            request_id = self.id(),
            method = %self.method,
            path = self.path.as_ref().map_or("none", MatchedPath::as_str),
            status = response.status().as_u16(),
            micros = u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX),
            "answered"
        );
    }

    /// What went wrong in the server, or behind it. Of those turned away the gate tells, not one
    /// by one.
    fn log_failure(&self, error: &ApiError) {
        if error.status.is_server_error() && error.code != ApiError::OVERLOADED {
            let cause = error.cause().unwrap_or("none given");
            let request_id = self.id();
            tracing::error!(request_id, code = error.code, cause, "{}", error.message);
        }
    }
}

fn new_id() -> HeaderValue {
    let mut buffer = Uuid::encode_buffer();
    let id = Uuid::new_v4().hyphenated().encode_lower(&mut buffer);
    HeaderValue::from_str(id).unwrap_or_else(|_| HeaderValue::from_static("none"))
}

/// Headers that the router had set, `Allow` above all.
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

/// Lays JSON out over lines, unless that would make a body of more than the page limit: an answer
/// that is longer than it should be already is not made longer.
async fn lay_out(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    // The answers are whole in memory already.
    let Ok(json) = to_bytes(body, usize::MAX).await else {
        return HttpResponse::from_parts(head, Body::empty());
    };
    match pretty(&json, 0, MAX_PAGE_BYTES) {
        Some(mut lines) => {
            lines.push(b'\n');
            head.headers.remove(CONTENT_LENGTH);
            HttpResponse::from_parts(head, lines.into())
        }
        None => HttpResponse::from_parts(head, json.into()),
    }
}

/// What a panic in a handler becomes.
#[allow(clippy::needless_pass_by_value)] // the layer's signature
pub(crate) fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
    let cause = format!("panic: {}", text.unwrap_or_default());
    ApiError::internal(cause).into_response()
}
