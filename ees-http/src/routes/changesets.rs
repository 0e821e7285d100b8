//! Changesets: of one stream, and of all.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header::ACCEPT};
use axum::response::Response;
use ees_core::adapter::parse_number;
use ees_core::{Changeset, Checkpoint, GlobalPage, MAX_ID, Page, StreamId, StreamQuery, Written};

use super::{App, StreamPath};
use crate::answer::{AllChangesets, ChangesetItem, Raw, StreamChangesets, ok, to_json};
use crate::error::{ApiError, ErrorBody};
use crate::gate::Place;
use crate::page::{Items, frame_bytes, next};
use crate::params::{From, GlobalRead, Params, StreamRead};

/// The error of a wrong range.
const INVALID_RANGE: &str = "INVALID_CHANGESET_FILTERING_PARAMS";

/// Read a stream's changesets
///
/// Strongly consistent. Where more remain, `next` says where the next page begins.
#[utoipa::path(
    get, path = "/streams/{stream_id}/changesets", tag = "streams", operation_id = "streamChangesets",
    params(
        ("stream_id" = String, Path, description = "The stream, percent-encoded"),
        ("from" = Option<u64>, Query, description = "The first changeset id"),
        ("to" = Option<u64>, Query, description = "The last changeset id"),
        ("limit" = Option<u64>, Query, minimum = 1, description = "At most so many"),
        ("direction" = Option<String>, Query, description = "`forward` (oldest first) or `backward`"),
        ("details" = Option<bool>, Query, description = "Adds event ids, timestamps and checkpoints"),
        ("pp" = Option<bool>, Query, description = "Lays the answer out over lines"),
    ),
    responses(
        (status = 200, description = "A page of the stream's changesets", body = StreamChangesets),
        (status = 400, description = "`INVALID_STREAM_ID`, `MISSING_STREAM_ID`, `INVALID_CHANGESET_FILTERING_PARAMS`, `INVALID_LIMIT`, `INVALID_PARAMETER`", body = ErrorBody),
        (status = 404, description = "`STREAM_NOT_FOUND`", body = ErrorBody),
        (status = 503, description = "`STORAGE_UNAVAILABLE`, `OVERLOADED`", body = ErrorBody),
    )
)]
pub(crate) async fn of_stream(
    State(app): State<App>,
    path: StreamPath,
    uri: Uri,
) -> Result<Response, ApiError> {
    path.answer(async |stream_id| {
        let read = Params::of(&uri).stream_read(INVALID_RANGE)?;
        let query = StreamQuery::all(stream_id)
            .changesets(read.range.clone())
            .direction(read.direction)
            .limit(read.limit);
        let page = app
            .in_time(Written::None, app.store.changesets(&query))
            .await?;
        Ok(ok(stream_page(&query.stream_id, &page, &read)))
    })
    .await
}

fn stream_page(stream_id: &StreamId, page: &Page<Changeset>, read: &StreamRead) -> Vec<u8> {
    let mut frame = StreamChangesets {
        stream_id: stream_id.as_str(),
        changesets: Raw("[]"),
        next: Some(MAX_ID),
    };
    let room = frame_bytes(&frame, read.common.pretty);
    let items = page.items.iter();
    let items = items.map(|changeset| ChangesetItem::of_stream(changeset, read.common.details));
    let items = Items::fill(items, room, read.common.pretty);
    frame.next = next(page, items.taken, read.direction, |changeset| {
        changeset.changeset_id.get()
    });
    frame.changesets = items.raw();
    to_json(&frame)
}

/// Read all changesets
///
/// In the global order, which never changes: a reader that follows `next_checkpoint` misses nothing
/// and sees nothing twice. `wait` makes it a long poll.
#[utoipa::path(
    get, path = "/changesets", tag = "global order", operation_id = "allChangesets",
    params(
        ("checkpoint" = Option<String>, Query, description = "Where to begin: an integer, 0 unless given, or `head`: from now on"),
        ("limit" = Option<u64>, Query, minimum = 1, description = "At most so many; 10 unless given, 1000 at most"),
        ("wait" = Option<u64>, Query, maximum = 20, description = "While there is nothing, wait for it so many seconds"),
        ("details" = Option<bool>, Query, description = "Adds event ids and timestamps"),
        ("pp" = Option<bool>, Query, description = "Lays the answer out over lines"),
    ),
    responses(
        (status = 200, description = "A page of all changesets", body = AllChangesets),
        (status = 400, description = "`INVALID_CHECKPOINT`, `INVALID_LIMIT`, `INVALID_PARAMETER`", body = ErrorBody),
        (status = 406, description = "`NOT_ACCEPTABLE`: this host sends no server-sent events", body = ErrorBody),
        (status = 503, description = "`STORAGE_UNAVAILABLE`, `OVERLOADED`", body = ErrorBody),
    )
)]
pub(crate) async fn all(
    State(app): State<App>,
    Extension(place): Extension<Place>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let read = Params::of(&uri).global_read("an integer from 0 on", |text| {
        parse_number(text).and_then(|number| Checkpoint::new(number).ok())
    })?;
    refuse_event_stream(&headers)?;
    let from = match read.from {
        From::Beginning => Checkpoint::FIRST,
        From::Checkpoint(checkpoint) => checkpoint,
        From::Head => {
            app.in_time(Written::None, app.store.next_checkpoint())
                .await?
        }
    };
    let limit = read.page_limit();
    let page = || app.store.global_changesets(from, limit);
    let is_empty = |page: &GlobalPage| page.changesets.is_empty();
    let page = app.poll(&place, read.wait, page, is_empty).await?;
    Ok(ok(global_page(from, &page, &read)))
}

/// A client that wants server-sent events would not understand anything else.
fn refuse_event_stream(headers: &HeaderMap) -> Result<(), ApiError> {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    if accept.is_some_and(|accept| accept.trim() == "text/event-stream") {
        let message = "this host sends no server-sent events; poll with `wait=20` instead";
        let status = StatusCode::NOT_ACCEPTABLE;
        return Err(ApiError::new(status, "NOT_ACCEPTABLE", message.to_owned()));
    }
    Ok(())
}

fn global_page(from: Checkpoint, page: &GlobalPage, read: &GlobalRead<Checkpoint>) -> Vec<u8> {
    let mut frame = AllChangesets {
        checkpoint: from.get(),
        limit: read.limit,
        changesets: Raw("[]"),
        next_checkpoint: MAX_ID,
    };
    let room = frame_bytes(&frame, read.common.pretty);
    let items = page.changesets.iter();
    let items = items.map(|changeset| ChangesetItem::of_all(changeset, read.common.details));
    let items = Items::fill(items, room, read.common.pretty);
    let left = page.changesets.get(items.taken);
    let next_checkpoint = left.and_then(|left| left.checkpoint);
    frame.next_checkpoint = next_checkpoint.unwrap_or(page.next).get();
    frame.changesets = items.raw();
    to_json(&frame)
}
