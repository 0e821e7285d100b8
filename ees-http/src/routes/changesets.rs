//! Changesets: of one stream, and of all.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header::ACCEPT};
use axum::response::Response;
use ees_core::adapter::parse_number;
use ees_core::{Checkpoint, StreamRange, Written};

use super::pages::{global_page, read_global, stream_page};
use super::parameters::{CommonParams, GlobalReadParams, StreamReadParams};
use crate::answer::{AllChangesets, ChangesetItem, StreamChangesets, ok};
use crate::app::App;
use crate::codes;
use crate::context::RequestContext;
use crate::error::ApiError;
use crate::error_body::ErrorBody;
use crate::json::{Raw, to_json};
use crate::request::StreamPath;

/// Read a stream's changesets
///
/// Strongly consistent: every acknowledged commit is visible. If more changesets remain, `next` says
/// where the next page begins.
#[utoipa::path(
    get, path = "/streams/{stream_id}/changesets", tag = "streams", operation_id = "streamChangesets",
    params(
        ("stream_id" = String, Path, description = "The stream id, percent-encoded"),
        StreamReadParams,
        ("details" = Option<bool>, Query, description = "Adds event ids, timestamps and checkpoints"),
        CommonParams,
    ),
    responses(
        (status = 200, headers(("Link" = Option<String>, description = "If more remain: the query of the next page, with `rel=next`")), description = "A page of the stream's changesets", body = StreamChangesets),
        (status = 400, description = "`INVALID_STREAM_ID`, `MISSING_STREAM_ID`, `INVALID_CHANGESET_FILTERING_PARAMS`, `INVALID_LIMIT`, `INVALID_PARAMETER`", body = ErrorBody),
        (status = 404, description = "`STREAM_NOT_FOUND`", body = ErrorBody),
        (status = 503, description = "`STORAGE_UNAVAILABLE`, `OVERLOADED`", body = ErrorBody),
    )
)]
pub(super) async fn of_stream(
    State(app): State<App>,
    context: RequestContext,
    path: StreamPath,
) -> Result<Response, ApiError> {
    path.answer(async |stream_id| {
        let invalid_range = codes::INVALID_CHANGESET_FILTERING_PARAMS;
        let read = context.params.stream_read(invalid_range)?;
        let query = read.query(stream_id, StreamRange::Changesets);
        let page = app.store.changesets(&query);
        let page = app.in_time(Written::None, page).await?;
        let body = |changesets: Raw<'_>, next| {
            to_json(&StreamChangesets {
                stream_id: query.stream_id.as_str(),
                changesets,
                next,
            })
        };
        let item = ChangesetItem::of_stream;
        Ok(stream_page(
            &page,
            &read,
            context.layout,
            item,
            |found| found.changeset_id.get(),
            body,
        ))
    })
    .await
}

/// Read all changesets
///
/// In the global order, which never changes. A reader that continues from `next_checkpoint` misses
/// no changeset and sees none twice. With `wait`, the call is a long poll.
#[utoipa::path(
    get, path = "/changesets", tag = "global order", operation_id = "allChangesets",
    params(
        ("checkpoint" = Option<String>, Query, description = "Where to begin, inclusive: an integer (default: 0), or `head` for what is committed from now on"),
        GlobalReadParams,
        ("details" = Option<bool>, Query, description = "Adds event ids, timestamps and the head"),
        CommonParams,
    ),
    responses(
        (status = 200, description = "A page of all changesets", body = AllChangesets),
        (status = 400, description = "`INVALID_CHECKPOINT`, `CHECKPOINT_BEYOND_HEAD`, `INVALID_LIMIT`, `INVALID_PARAMETER`", body = ErrorBody),
        (status = 406, description = "`NOT_ACCEPTABLE`: server-sent events are not supported", body = ErrorBody),
        (status = 503, description = "`STORAGE_UNAVAILABLE`, `OVERLOADED`", body = ErrorBody),
    )
)]
pub(super) async fn all(
    State(app): State<App>,
    context: RequestContext,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let expected = "an integer of at least 0";
    let read = context.params.global_read(expected, |text| {
        parse_number(text).and_then(|number| Checkpoint::new(number).ok())
    })?;
    refuse_event_stream(&headers)?;
    let store = app.store.with_filter(read.filter.clone());
    let page = |from, limit| store.poll_changesets(from, limit);
    let found = read_global(&app, &context, &read, page).await?;
    let body = |changesets: Raw<'_>, next: Checkpoint| {
        to_json(&AllChangesets {
            checkpoint: found.from.get(),
            limit: read.limit,
            changesets,
            next_checkpoint: next.get(),
            head: found.head,
        })
    };
    let item = ChangesetItem::of_all;
    Ok(ok(global_page(
        &found.page,
        &read,
        context.layout,
        item,
        body,
    )))
}

/// A client that accepts only server-sent events would not understand any other answer.
fn refuse_event_stream(headers: &HeaderMap) -> Result<(), ApiError> {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    if accept.is_some_and(|accept| accept.trim() == "text/event-stream") {
        let message = "server-sent events are not supported; use a long poll (`wait=20`) instead";
        let status = StatusCode::NOT_ACCEPTABLE;
        return Err(ApiError::new(
            status,
            codes::NOT_ACCEPTABLE,
            message.to_owned(),
        ));
    }
    Ok(())
}
