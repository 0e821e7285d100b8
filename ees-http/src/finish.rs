//! The last step of every answer: errors get their body, white space is laid out, and what went
//! wrong in the server goes into its log.

use axum::body::{Body, to_bytes};
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, Response as HttpResponse};
use axum::middleware::Next;
use axum::response::Response;
use ees_core::MAX_PAGE_BYTES;
use tower_http::request_id::RequestId;

use crate::error::ApiError;
use crate::params::Params;
use crate::pretty::pretty;

/// Finishes an answer.
pub(crate) async fn finish(request: Request, next: Next) -> Response {
    let is_pretty = Params::of(request.uri())
        .common()
        .is_ok_and(|common| common.pretty);
    let id = request.extensions().get::<RequestId>().cloned();
    let id = id.as_ref().and_then(|id| id.header_value().to_str().ok());
    let mut response = next.run(request).await;
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        if error.status.is_server_error() {
            log(&error, id);
        }
        let headers = std::mem::take(response.headers_mut());
        response = error.render(id, is_pretty);
        keep(headers, &mut response);
    }
    if is_pretty {
        lay_out(response).await
    } else {
        response
    }
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

fn log(error: &ApiError, request_id: Option<&str>) {
    let cause = error.cause().unwrap_or("none given");
    let request_id = request_id.unwrap_or("none");
    tracing::error!(request_id, code = error.code, cause, "{}", error.message);
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
    axum::response::IntoResponse::into_response(ApiError::internal(cause))
}

/// Writes a line per answer into the log: no payload, no query, and the path as the router has it,
/// as stream ids may name people.
pub(crate) async fn log_answer(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>().cloned();
    let id = request.extensions().get::<RequestId>().cloned();
    let response = next.run(request).await;
    let path = path.as_ref().map_or("none", MatchedPath::as_str);
    let id = id.as_ref().and_then(|id| id.header_value().to_str().ok());
    tracing::info!(
        request_id = id.unwrap_or("none"),
        %method,
        path,
        status = response.status().as_u16(),
        micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX),
        "answered"
    );
    response
}
