//! Events: of one stream, and of all.

use axum::Extension;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use ees_core::{
    Checkpoint, Event, EventCheckpoint, GlobalEventPage, MAX_ID, Page, StreamId, StreamQuery,
    Written,
};

use super::{App, StreamPath};
use crate::answer::{AllEvents, EventItem, GlobalEventItem, Raw, StreamEvents, ok, to_json};
use crate::error::{ApiError, ErrorBody};
use crate::gate::Place;
use crate::page::{Items, frame_bytes, next};
use crate::params::{From, GlobalRead, Params, StreamRead};

/// The error of a wrong range.
const INVALID_RANGE: &str = "INVALID_EVENT_FILTERING_PARAMS";

/// Read a stream's events
///
/// Strongly consistent. Where more remain, `next` says where the next page begins.
#[utoipa::path(
    get, path = "/streams/{stream_id}/events", tag = "streams", operation_id = "streamEvents",
    params(
        ("stream_id" = String, Path, description = "The stream, percent-encoded"),
        ("from" = Option<u64>, Query, description = "The first event id"),
        ("to" = Option<u64>, Query, description = "The last event id"),
        ("limit" = Option<u64>, Query, minimum = 1, description = "At most so many"),
        ("direction" = Option<String>, Query, description = "`forward` (oldest first) or `backward`"),
        ("details" = Option<bool>, Query, description = "Adds timestamps"),
        ("pp" = Option<bool>, Query, description = "Lays the answer out over lines"),
    ),
    responses(
        (status = 200, description = "A page of the stream's events", body = StreamEvents),
        (status = 400, description = "`INVALID_STREAM_ID`, `MISSING_STREAM_ID`, `INVALID_EVENT_FILTERING_PARAMS`, `INVALID_LIMIT`, `INVALID_PARAMETER`", body = ErrorBody),
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
            .events(read.range.clone())
            .direction(read.direction)
            .limit(read.limit);
        let page = app.in_time(Written::None, app.store.events(&query)).await?;
        Ok(ok(stream_page(&query.stream_id, &page, &read)))
    })
    .await
}

fn stream_page(stream_id: &StreamId, page: &Page<Event>, read: &StreamRead) -> Vec<u8> {
    let mut frame = StreamEvents {
        stream_id: stream_id.as_str(),
        events: Raw("[]"),
        next: Some(MAX_ID),
    };
    let room = frame_bytes(&frame, read.common.pretty);
    let items = page.items.iter();
    let items = items.map(|event| EventItem::new(event, read.common.details));
    let items = Items::fill(items, room, read.common.pretty);
    frame.next = next(page, items.taken, read.direction, |event| {
        event.event_id.get()
    });
    frame.events = items.raw();
    to_json(&frame)
}

/// Read all events
///
/// In the global order; checkpoints are `c.i`: the changeset's checkpoint and the event's place in
/// it, from 0. A reader that follows `next_checkpoint` misses nothing and sees nothing twice.
#[utoipa::path(
    get, path = "/events", tag = "global order", operation_id = "allEvents",
    params(
        ("checkpoint" = Option<String>, Query, description = "Where to begin: `c` or `c.i`, 0 unless given, or `head`: from now on"),
        ("limit" = Option<u64>, Query, minimum = 1, description = "At most so many; 10 unless given, 1000 at most"),
        ("wait" = Option<u64>, Query, maximum = 20, description = "While there is nothing, wait for it so many seconds"),
        ("details" = Option<bool>, Query, description = "Adds timestamps"),
        ("pp" = Option<bool>, Query, description = "Lays the answer out over lines"),
    ),
    responses(
        (status = 200, description = "A page of all events", body = AllEvents),
        (status = 400, description = "`INVALID_CHECKPOINT`, `INVALID_LIMIT`, `INVALID_PARAMETER`", body = ErrorBody),
        (status = 503, description = "`STORAGE_UNAVAILABLE`, `OVERLOADED`", body = ErrorBody),
    )
)]
pub(crate) async fn all(
    State(app): State<App>,
    Extension(place): Extension<Place>,
    uri: Uri,
) -> Result<Response, ApiError> {
    let read = Params::of(&uri)
        .global_read("`c` or `c.i`, integers from 0 on", |text| text.parse().ok())?;
    let from: EventCheckpoint = match read.from {
        From::Beginning => Checkpoint::FIRST.into(),
        From::Checkpoint(checkpoint) => checkpoint,
        From::Head => {
            let head = app.store.next_checkpoint();
            app.in_time(Written::None, head).await?.into()
        }
    };
    let limit = read.page_limit();
    let page = || app.store.global_events(from, limit);
    let is_empty = |page: &GlobalEventPage| page.events.is_empty();
    let page = app.poll(&place, read.wait, page, is_empty).await?;
    Ok(ok(global_page(from, &page, &read)))
}

fn global_page(
    from: EventCheckpoint,
    page: &GlobalEventPage,
    read: &GlobalRead<EventCheckpoint>,
) -> Vec<u8> {
    let longest = EventCheckpoint {
        changeset: Checkpoint::FIRST.plus(MAX_ID),
        index: MAX_ID,
    };
    let mut frame = AllEvents {
        checkpoint: from.to_string(),
        limit: read.limit,
        events: Raw("[]"),
        next_checkpoint: longest.to_string(),
    };
    let room = frame_bytes(&frame, read.common.pretty);
    let items = page.events.iter();
    let items = items.map(|event| GlobalEventItem::new(event, read.common.details));
    let items = Items::fill(items, room, read.common.pretty);
    let left = page.events.get(items.taken);
    let next_checkpoint = left.map_or(page.next, |left| left.checkpoint);
    frame.next_checkpoint = next_checkpoint.to_string();
    frame.events = items.raw();
    to_json(&frame)
}
