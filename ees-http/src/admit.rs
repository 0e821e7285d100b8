//! The layer that lets a request in or turns it away.

use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::body::announced;
use crate::context::RequestContext;
use crate::event_stream::is_wanted;
use crate::gate::Gate;
use crate::request::refused;
use crate::room::SMALL_BYTES;

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
        let entered = gate.enter(&context.permit, is_small(&request));
        entered.await.map(|()| None)
    };
    match admitted {
        Ok(_poll) => next.run(request).await,
        Err(error) => refused(error, request).await.into_response(),
    }
}

/// Whether a request needs little: a read of one thing, or a commit with a small body.
fn is_small(request: &Request) -> bool {
    let path = request.uri().path();
    let is_page = path.ends_with("/changesets") || path.ends_with("/events");
    if is_read(request) {
        !is_page
    } else {
        announced(request.body()) <= SMALL_BYTES
    }
}

fn is_long_poll(request: &Request, context: &RequestContext) -> bool {
    let path = request.uri().path();
    let of_stream = path.strip_prefix("/streams/");
    let of_stream = of_stream.and_then(|rest| rest.split_once('/'));
    let read = of_stream.map_or(path.get(1..), |(_, read)| Some(read));
    let of_consumer = path.starts_with("/consumers/");
    let can_wait = of_consumer || matches!(read, Some("changesets" | "events"));
    can_wait && is_read(request) && context.params.waits()
}

/// An event stream has limits of its own, which its handler applies.
fn is_event_stream(request: &Request) -> bool {
    let can_follow = matches!(request.uri().path(), "/changesets" | "/events");
    can_follow && is_read(request) && is_wanted(request.headers())
}

fn is_read(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}
