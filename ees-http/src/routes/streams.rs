//! Streams: commits, the end of a stream, and statistics of all streams.

use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, EXPECT};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use ees_core::{NewChangeset, StreamId, Written};

use super::parameters::CommonParams;
use crate::answer::{Committed, StoreStatistics, StreamHead, answer};
use crate::app::App;
use crate::body::{self, CommitBody, Held};
use crate::codes;
use crate::context::RequestContext;
use crate::error::ApiError;
use crate::error_body::ErrorBody;
use crate::long_work::work;
use crate::permit::Permit;
use crate::request::{IDEMPOTENCY_REPLAYED, StreamPath, commit_key};
use crate::room::SMALL_BYTES;

/// Commit a changeset
///
/// Appends a changeset to a stream if the expectation holds: the id of the stream's last changeset
/// or of its last event. Without an expectation, or with 0, the stream has to be new. A commit whose
/// `Idempotency-Key` stands in the stream returns the first answer and stores nothing, whatever it
/// expects.
#[utoipa::path(
    post, path = "/streams/{stream_id}", tag = "streams", operation_id = "commit",
    request_body = CommitBody,
    params(
        ("stream_id" = String, Path, description = "The stream id, percent-encoded"),
        ("expected_last_changeset" = Option<u64>, Query, description = "The id of the stream's last changeset; 0 for a new stream"),
        ("expected_last_event" = Option<u64>, Query, description = "Instead: the id of the stream's last event; 0 for a new stream"),
        ("forthcoming" = Option<u64>, Query, description = "The largest number of changesets that a conflict lists. Default, and at most: 100; 0: the verdict only"),
        ("details" = Option<bool>, Query, description = "Adds event ids, timestamp and checkpoint"),
        CommonParams,
        ("Idempotency-Key" = Option<String>, Header, description = "Makes the command idempotent: 1 to 255 printable ASCII characters. It belongs to the stream for ever"),
    ),
    responses(
        (status = 200, description = "The changeset is committed", body = Committed, headers(("Idempotency-Replayed" = Option<String>, description = "`true` if the changeset stood in the stream already, with this key"))),
        (status = 400, description = "`INVALID_STREAM_ID`, `MISSING_STREAM_ID`, `INVALID_EXPECTED_CHANGESET_ID`, `INVALID_EXPECTED_EVENT_ID`, `BOTH_EXPECTED_CHANGESET_AND_EVENT_ARE_SET`, `INVALID_PARAMETER`, `INVALID_IDEMPOTENCY_KEY`, `INVALID_BODY`, `NO_EVENTS`", body = ErrorBody),
        (status = 403, description = "`FORBIDDEN`: a browser sends the commit for a web page of another site. Not on AWS Lambda", body = ErrorBody),
        (status = 408, description = "`REQUEST_TIMEOUT`: the body did not arrive in time", body = ErrorBody),
        (status = 409, description = "`OPTIMISTIC_CONCURRENCY_EXCEPTION`: the stream has moved on. `forthcoming_changesets` has what was missed, `last_changeset` and `last_event` are the stream's end", body = ErrorBody),
        (status = 413, description = "`CHANGESET_TOO_LARGE`, `STREAM_TOO_LARGE`", body = ErrorBody),
        (status = 422, description = "`IDEMPOTENCY_KEY_REUSED`: the key stands in the stream with another content, or for a set of commits. `changeset` has it", body = ErrorBody),
        (status = 503, description = "`STORAGE_UNAVAILABLE`, `OVERLOADED`: repeat the commit after `Retry-After` seconds, with the key in `idempotency_key`. `STORE_FENCED`: the store has moved; the message has its address", body = ErrorBody),
    )
)]
pub(super) async fn commit(
    State(app): State<App>,
    context: RequestContext,
    path: StreamPath,
    request: Request,
) -> Result<Response, ApiError> {
    path.answer(async |stream_id| commit_to(&app, &context, stream_id, request).await)
        .await
}

async fn commit_to(
    app: &App,
    context: &RequestContext,
    stream_id: StreamId,
    request: Request,
) -> Result<Response, ApiError> {
    let params = context.params.commit()?;
    let key = commit_key(request.headers())?;
    let encoding = request.headers().get(CONTENT_ENCODING).cloned();
    // The body counts as buffered until the commit is answered, because its events are in memory.
    let most = app.max_body_bytes();
    let body = read_body(app, most, &context.permit, request).await;
    let body = body.map_err(|error| error.repeatable_with(&key))?;
    let parse = || body::parse(&body.bytes, encoding.as_ref());
    let (events, metadata) = work(body.bytes.len(), parse).await?;
    let asked = NewChangeset::new(stream_id, params.expectation, events)
        .with_metadata(metadata)
        .with_max_forthcoming(params.forthcoming)
        .with_idempotency_key(key.clone());
    let committed = app.in_time(Written::Unknown, app.store.commit(asked)).await;
    let receipt = committed.map_err(|error| {
        let error = error.repeatable_with(&key);
        error.with_details(params.common.details)
    })?;
    let mut response = answer(&Committed::new(&receipt, params.common.details));
    if receipt.replayed {
        let headers = response.headers_mut();
        headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// Reads a body of at most so many bytes. Meanwhile the request gives its permit back, and what has arrived of
/// the body counts as buffered.
///
/// A body that is announced as too large is refused before it arrives, unless its sender may be
/// sending it already and would not see the answer.
pub(super) async fn read_body(
    app: &App,
    most: usize,
    permit: &Permit,
    request: Request,
) -> Result<Held, ApiError> {
    permit.release();
    let asks_first = request.headers().contains_key(EXPECT);
    let body = request.into_body();
    let announced = body::announced(&body);
    if asks_first || announced > body::most_read(most) {
        body::check_size(announced, most)?;
    }
    let limit = app.options.request_timeout;
    let read = tokio::time::timeout(limit, body::read(body, most, &app.gate, permit.client()));
    let Ok(read) = read.await else {
        body::check_size(announced, most)?;
        let message = format!("the body did not arrive within {} s", limit.as_secs());
        let status = StatusCode::REQUEST_TIMEOUT;
        return Err(ApiError::new(status, codes::REQUEST_TIMEOUT, message));
    };
    let body = read?;
    let is_small = body.bytes.len() <= SMALL_BYTES;
    app.gate.enter(permit, is_small).await?;
    Ok(body)
}

/// Read a stream's end
#[utoipa::path(
    get, path = "/streams/{stream_id}", tag = "streams", operation_id = "head",
    params(
        ("stream_id" = String, Path, description = "The stream id, percent-encoded"),
        CommonParams,
    ),
    responses(
        (status = 200, description = "The stream's end", body = StreamHead),
        (status = 400, description = "`INVALID_STREAM_ID`, `MISSING_STREAM_ID`, `INVALID_PARAMETER`", body = ErrorBody),
        (status = 404, description = "`STREAM_NOT_FOUND`", body = ErrorBody),
        (status = 503, description = "`STORAGE_UNAVAILABLE`, `OVERLOADED`", body = ErrorBody),
    )
)]
pub(super) async fn head(
    State(app): State<App>,
    context: RequestContext,
    path: StreamPath,
) -> Result<Response, ApiError> {
    path.answer(async |stream_id| {
        context.params.only_common()?;
        let head = app
            .in_time(Written::None, app.store.head(&stream_id))
            .await?;
        Ok(answer(&StreamHead::new(&stream_id, &head)))
    })
    .await
}

/// Read the statistics
///
/// Counted in the background. The counts are exact for all checkpoints below `statistics_version`.
#[utoipa::path(
    get, path = "/streams", tag = "service", operation_id = "statistics",
    params(CommonParams),
    responses(
        (status = 200, description = "The counts", body = StoreStatistics),
        (status = 400, description = "`INVALID_PARAMETER`", body = ErrorBody),
        (status = 503, description = "`STORAGE_UNAVAILABLE`, `OVERLOADED`", body = ErrorBody),
    )
)]
pub(super) async fn statistics(
    State(app): State<App>,
    context: RequestContext,
) -> Result<Response, ApiError> {
    context.params.only_common()?;
    let statistics = app.in_time(Written::None, app.store.statistics()).await?;
    Ok(answer(&StoreStatistics::from(statistics)))
}
