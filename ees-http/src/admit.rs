//! The layer that lets a request in or turns it away.

use axum::body::HttpBody;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::context::RequestContext;
use crate::error::ApiError;
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
        Ok(_poll) => {
            let response = next.run(request).await;
            let bytes = response.body().size_hint().exact().unwrap_or_default();
            let room = gate.answer(
                &context.permit,
                usize::try_from(bytes).unwrap_or(usize::MAX),
            );
            room.map_or_else(ApiError::into_response, |()| response)
        }
        Err(error) => refused(error, request).await.into_response(),
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
