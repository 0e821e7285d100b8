//! Answers a read of the global order with server-sent events.

mod follower;
mod sent;

use std::convert::Infallible;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use ees_core::{Direction, Error, Written};
use futures_util::StreamExt;
use futures_util::stream::{iter, once, unfold};

use super::pages::begin;
use crate::app::App;
use crate::codes;
use crate::context::RequestContext;
use crate::error::ApiError;
use crate::event_stream::{BEGINNING, EVENT_STREAM, last_event_id};
use crate::finish::Endless;
use crate::params::{GlobalRead, Start};
use crate::permit::Permit;
use follower::{CHUNK, Follower, Reader};
use sent::Sent;

/// Tells nginx not to collect the answer.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Answers with an event stream. The first read comes before the answer, so that its error is one.
pub(super) async fn follow<P: Sent>(
    app: &App,
    context: &RequestContext,
    headers: &HeaderMap,
    mut read: GlobalRead<P::Position>,
) -> Result<Response, ApiError> {
    if app.options.max_event_streams == 0 {
        let message = "this host sends no event streams; use a long poll (`wait=20`) instead";
        let status = StatusCode::NOT_ACCEPTABLE;
        return Err(ApiError::new(
            status,
            codes::NOT_ACCEPTABLE,
            message.to_owned(),
        ));
    }
    if read.direction == Direction::Backward {
        let message = "`direction=backward`: an event stream goes forward";
        return Err(ApiError::bad_request(
            codes::INVALID_PARAMETER,
            message.to_owned(),
        ));
    }
    if let Some(position) = last_event_id(headers, P::parse)? {
        read.from = Start::Checkpoint(P::behind(position));
    }
    let open = app.gate.open_event_stream()?;
    let store = app.store.with_filter(read.filter.clone());
    let from = begin::<P>(app, &read).await?;
    let client = context.permit.client().cloned();
    let permit = Permit::of(client.clone());
    let first = async {
        app.gate.take_turn(&permit).await;
        let page = P::read(&store, from, CHUNK, Direction::Forward).await?;
        if page.is_empty() && page.next() == from && matches!(read.from, Start::Checkpoint(_)) {
            store.check_checkpoint(from.into()).await?;
        }
        Ok::<_, Error>(page)
    };
    let first = app.in_time(Written::None, first).await?;
    let read_already = (!first.is_empty()).then_some((first, permit));
    let reader = Reader {
        is_filtered: !read.filter.is_unlimited(),
        details: read.common.details,
        caller: context.caller.get().cloned(),
        client,
        open,
    };
    let follower = Follower::new(app, store, from, read_already, reader);
    let beginning = once(async { Ok(Bytes::from_static(BEGINNING.as_bytes())) });
    let chunks = unfold(follower, |mut follower| async {
        let chunk = follower.next_while_allowed().await?;
        Some((iter(chunk.map(Ok::<_, Infallible>)), follower))
    });
    let headers = [
        (CONTENT_TYPE, EVENT_STREAM),
        (CACHE_CONTROL, "no-store"),
        (BUFFERING, "no"),
    ];
    let mut response = (
        headers,
        Body::from_stream(beginning.chain(chunks.flatten())),
    )
        .into_response();
    response.extensions_mut().insert(Endless);
    Ok(response)
}
