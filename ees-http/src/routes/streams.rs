//! Streams: committing to one, its end, and the counts of all.

use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, EXPECT};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use ees_core::{CommitId, CommitIdError, NewChangeset, StreamId, Written};

use super::{App, StreamPath};
use crate::answer::{Committed, StoreStatistics, StreamHead, ok, to_json};
use crate::body::{self, CommitBody, Held};
use crate::error::{ApiError, ErrorBody};
use crate::gate::Place;
use crate::params::Params;

/// The header that makes a commit safe to repeat.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Commit a changeset
///
/// Appends a changeset to a stream if the expectation holds: give the last changeset's id or the
/// last event's id, or neither (or 0) for a new stream. A repeat with the same `Idempotency-Key`
/// answers as the first did.
#[utoipa::path(
    post, path = "/streams/{stream_id}", tag = "streams", operation_id = "commit",
    request_body = CommitBody,
    params(
        ("stream_id" = String, Path, description = "The stream, percent-encoded"),
        ("expected_last_changeset" = Option<u64>, Query, description = "The stream's last changeset; 0 = a new stream"),
        ("expected_last_event" = Option<u64>, Query, description = "The stream's last event, instead; 0 = a new stream"),
        ("details" = Option<bool>, Query, description = "Adds event ids, timestamp and checkpoint"),
        ("pp" = Option<bool>, Query, description = "Lays the answer out over lines"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 printable ASCII characters"),
    ),
    responses(
        (status = 200, description = "The changeset stands", body = Committed),
        (status = 400, description = "`INVALID_STREAM_ID`, `MISSING_STREAM_ID`, `INVALID_EXPECTED_CHANGESET_ID`, `INVALID_EXPECTED_EVENT_ID`, `BOTH_EXPECTED_CHANGESET_AND_EVENT_ARE_SET`, `INVALID_PARAMETER`, `INVALID_IDEMPOTENCY_KEY`, `INVALID_BODY`, `NO_EVENTS`", body = ErrorBody),
        (status = 403, description = "`FORBIDDEN`: a browser sends it for another site's web page; only on a server of one's own", body = ErrorBody),
        (status = 408, description = "`REQUEST_TIMEOUT`: the body did not arrive in time", body = ErrorBody),
        (status = 409, description = "`OPTIMISTIC_CONCURRENCY_EXCEPTION`: the stream has moved on; tells how", body = ErrorBody),
        (status = 413, description = "`CHANGESET_TOO_LARGE`, `STREAM_TOO_LARGE`", body = ErrorBody),
        (status = 422, description = "`IDEMPOTENCY_KEY_REUSED`", body = ErrorBody),
        (status = 503, description = "`STORAGE_UNAVAILABLE`, `OVERLOADED`: try again after `Retry-After` seconds", body = ErrorBody),
    )
)]
pub(crate) async fn commit(
    State(app): State<App>,
    path: StreamPath,
    request: Request,
) -> Result<Response, ApiError> {
    path.answer(async |stream_id| commit_to(&app, stream_id, request).await)
        .await
}

async fn commit_to(app: &App, stream_id: StreamId, request: Request) -> Result<Response, ApiError> {
    let params = Params::of(request.uri());
    let expectation = params.expectation()?;
    let common = params.common()?;
    drop(params);
    let key = idempotency_key(request.headers())?.unwrap_or_else(CommitId::generate);
    let encoding = request.headers().get(CONTENT_ENCODING).cloned();
    // Its room is held until the commit is answered, as its events are.
    let body = read_body(app, request).await;
    let body = body.map_err(|error| error.repeatable_with(&key))?;
    let (events, metadata) = body::parse(&body.bytes, encoding.as_ref())?;
    let asked = NewChangeset::new(stream_id, expectation, events)
        .with_metadata(metadata)
        .with_idempotency_key(key.clone());
    let committed = app.in_time(Written::Unknown, app.store.commit(asked)).await;
    let receipt = committed.map_err(|error| {
        let error = error.repeatable_with(&key);
        error.with_details(common.details)
    })?;
    Ok(ok(to_json(&Committed::new(&receipt, common.details))))
}

/// A commit whose body is on its way takes no place: what has come of it is counted as buffered.
///
/// A body that is announced as too large is refused before it comes, unless its sender may be
/// sending it already, and would not see the answer.
async fn read_body(app: &App, request: Request) -> Result<Held<'_>, ApiError> {
    let place: Place = request.extensions().get().cloned().unwrap_or_default();
    place.leave();
    let most = app.max_body_bytes();
    let asks_first = request.headers().contains_key(EXPECT);
    let body = request.into_body();
    let announced = body::announced(&body);
    if asks_first || announced > body::most_read(most) {
        body::check_size(announced, most)?;
    }
    let limit = app.options.request_timeout;
    let read = tokio::time::timeout(limit, body::read(body, most, &app.gate));
    let Ok(read) = read.await else {
        body::check_size(announced, most)?;
        let message = format!("the body did not arrive within {} s", limit.as_secs());
        let status = StatusCode::REQUEST_TIMEOUT;
        return Err(ApiError::new(status, "REQUEST_TIMEOUT", message));
    };
    let body = read?;
    app.gate.enter(&place)?;
    Ok(body)
}

pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<CommitId>, ApiError> {
    let invalid = |error: CommitIdError, what: &str| {
        ApiError::bad_request(error.code(), format!("`Idempotency-Key`{what}: {error}"))
    };
    let mut given = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = given.next() else {
        return Ok(None);
    };
    if given.next().is_some() {
        return Err(invalid(CommitIdError, " is given more than once"));
    }
    let key = value.to_str().map_err(|_| CommitIdError);
    let key = key.and_then(CommitId::new);
    key.map(Some).map_err(|error| invalid(error, ""))
}

/// Read a stream's end
#[utoipa::path(
    get, path = "/streams/{stream_id}", tag = "streams", operation_id = "head",
    params(
        ("stream_id" = String, Path, description = "The stream, percent-encoded"),
        ("pp" = Option<bool>, Query, description = "Lays the answer out over lines"),
    ),
    responses(
        (status = 200, description = "The stream's end", body = StreamHead),
        (status = 400, description = "`INVALID_STREAM_ID`, `MISSING_STREAM_ID`, `INVALID_PARAMETER`", body = ErrorBody),
        (status = 404, description = "`STREAM_NOT_FOUND`", body = ErrorBody),
        (status = 503, description = "`STORAGE_UNAVAILABLE`, `OVERLOADED`", body = ErrorBody),
    )
)]
pub(crate) async fn head(
    State(app): State<App>,
    path: StreamPath,
    uri: Uri,
) -> Result<Response, ApiError> {
    path.answer(async |stream_id| {
        Params::of(&uri).common()?;
        let head = app
            .in_time(Written::None, app.store.head(&stream_id))
            .await?;
        Ok(ok(to_json(&StreamHead::new(&stream_id, &head))))
    })
    .await
}

/// Read the statistics
///
/// Counted in the background: exact for all checkpoints below `statistics_version`.
#[utoipa::path(
    get, path = "/streams", tag = "service", operation_id = "statistics",
    params(("pp" = Option<bool>, Query, description = "Lays the answer out over lines")),
    responses(
        (status = 200, description = "The counts", body = StoreStatistics),
        (status = 400, description = "`INVALID_PARAMETER`", body = ErrorBody),
        (status = 503, description = "`STORAGE_UNAVAILABLE`, `OVERLOADED`", body = ErrorBody),
    )
)]
pub(crate) async fn statistics(State(app): State<App>, uri: Uri) -> Result<Response, ApiError> {
    Params::of(&uri).common()?;
    let statistics = app.in_time(Written::None, app.store.statistics()).await?;
    Ok(ok(to_json(&StoreStatistics::from(statistics))))
}
