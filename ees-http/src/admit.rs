//! The layer that lets a request in or turns it away.

use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::context::RequestContext;
use crate::event_stream::is_wanted;
use crate::gate::Gate;
use crate::request::refused;

/// Fills the request's permit, or turns the request away.
pub(crate) async fn admit(
    State(gate): State<Gate>,
    context: RequestContext,
    request: Request,
    next: Next,
) -> Response {
    let admitted = if is_event_stream(&request) {
        Ok(None)
    } else if is_long_poll(&request, &context) {
        gate.open_poll().map(Some)
    } else {
        gate.enter(&context.permit).map(|()| None)
    };
    match admitted {
        Ok(_poll) => next.run(request).await,
        Err(error) => refused(error, request).await.into_response(),
    }
}

fn is_long_poll(request: &Request, context: &RequestContext) -> bool {
    is_global_read(request) && context.params.waits()
}

/// An event stream has limits of its own, which its handler applies.
fn is_event_stream(request: &Request) -> bool {
    is_global_read(request) && is_wanted(request.headers())
}

fn is_global_read(request: &Request) -> bool {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    is_read && matches!(request.uri().path(), "/changesets" | "/events")
}
