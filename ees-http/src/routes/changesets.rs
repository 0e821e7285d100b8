//! Changesets: of one stream, and of all.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use ees_core::{Checkpoint, GlobalPage, StreamRange};

use super::event_stream::follow;
use super::pages::{GlobalItems, global_page, read_global, read_stream, stream_page};
use super::parameters::{CommonParams, GlobalReadParams, StreamReadParams};
use crate::answer::{AllChangesets, ChangesetItem, StreamChangesets, ok};
use crate::app::App;
use crate::codes;
use crate::context::RequestContext;
use crate::error::ApiError;
use crate::error_body::ErrorBody;
use crate::event_stream::is_wanted;
use crate::json::{Raw, to_json};
use crate::long_work::bytes_of;
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
        let page = || app.store.changesets(&query);
        let page = read_stream(&app, &context, &read, page).await?;
        let body = |changesets: Raw<'_>, next| {
            to_json(&StreamChangesets {
                stream_id: query.stream_id.as_str(),
                changesets,
                next,
                wait: read.wait.told,
            })
        };
        let item = ChangesetItem::of_stream;
        let write = || {
            stream_page(
                &page,
                &read,
                context.layout,
                item,
                |found| found.changeset_id.get(),
                body,
            )
        };
        let bytes = bytes_of(&page.items);
        app.gate.write(&context.permit, bytes, write).await
    })
    .await
}

/// Read all changesets
///
/// In the global order, which never changes. A reader that continues from `next_checkpoint` misses
/// no changeset and sees none twice. With `wait`, the call is a long poll. With `Accept:
/// text/event-stream` it is an event stream, which goes on behind `Last-Event-ID`.
#[utoipa::path(
    get, path = "/changesets", tag = "global order", operation_id = "allChangesets",
    params(
        ("checkpoint" = Option<String>, Query, description = "Where to begin, inclusive: an integer (default: 0), or `head` for what is committed from now on"),
        GlobalReadParams,
        ("details" = Option<bool>, Query, description = "Adds event ids, timestamps and the head"),
        ("Last-Event-ID" = Option<String>, Header, description = "Event streams: the last checkpoint that was received"),
        CommonParams,
    ),
    responses(
        (status = 200, description = "A page of all changesets. With `Accept: text/event-stream`: server-sent events, one `changeset` for each, without an end", content((AllChangesets = "application/json"), (String = "text/event-stream"))),
        (status = 400, description = "`INVALID_CHECKPOINT`, `CHECKPOINT_BEYOND_HEAD`, `INVALID_LIMIT`, `INVALID_PARAMETER`", body = ErrorBody),
        (status = 409, description = "`OTHER_STORE`: `store` is the id of another store", body = ErrorBody),
        (status = 406, description = "`NOT_ACCEPTABLE`: this host sends no event streams", body = ErrorBody),
        (status = 503, description = "`STORAGE_UNAVAILABLE`, `OVERLOADED`", body = ErrorBody),
    )
)]
pub(super) async fn all(
    State(app): State<App>,
    context: RequestContext,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let expected = "an integer of at least 0";
    let read = context.params.global_read(expected, GlobalPage::parse)?;
    if is_wanted(&headers) {
        return follow::<GlobalPage>(&app, &context, &headers, read).await;
    }
    let found = read_global::<GlobalPage>(&app, &context, &read).await?;
    let body = |changesets: Raw<'_>, next: Checkpoint| {
        to_json(&AllChangesets {
            checkpoint: found.from.get(),
            limit: read.limit,
            changesets,
            next_checkpoint: next.get(),
            head: found.head,
            wait: read.wait.told,
        })
    };
    let item = ChangesetItem::of_all;
    let write = || global_page(&found.page, &read, context.layout, item, body);
    let bytes = bytes_of(found.page.items());
    let body = app.gate.write(&context.permit, bytes, write).await?;
    Ok(ok(body))
}
