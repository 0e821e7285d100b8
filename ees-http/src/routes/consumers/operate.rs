//! What operators do: see parked streams, retry, skip, reset.

use axum::extract::{Path, Request, State};
use axum::response::Response;
use ees_core::Written;

use super::bodies::{ResetBody, RetryBody, SkipBody, body, changeset, checkpoint, name, stream};
use crate::answer::{Done, ParkedItem, ParkedStreams, answer};
use crate::app::App;
use crate::context::RequestContext;
use crate::error::ApiError;
use crate::error_body::ErrorBody;
use crate::routes::parameters::CommonParams;

/// List parked streams
///
/// The streams that a consumer could not handle, and those at which it has stopped.
#[utoipa::path(
    get, path = "/consumers/{name}/parked", tag = "consumers", operation_id = "parked",
    params(
        ("name" = String, Path, description = "The name"),
        ("limit" = Option<u64>, Query, description = "The largest number of streams. Default: 10; larger than 1000 counts as 1000"),
        ("after" = Option<String>, Query, description = "The `next` of the page before"),
        CommonParams,
    ),
    responses(
        (status = 200, description = "The parked streams", body = ParkedStreams),
        (status = 400, description = "`INVALID_CONSUMER_NAME`, `INVALID_LIMIT`, `INVALID_STREAM_ID`, `INVALID_PARAMETER`", body = ErrorBody),
        (status = 404, description = "`CONSUMER_NOT_FOUND`", body = ErrorBody),
        (status = 501, description = "`CONSUMERS_NOT_SUPPORTED`", body = ErrorBody),
        (status = 503, description = "`STORAGE_UNAVAILABLE`, `OVERLOADED`", body = ErrorBody),
    )
)]
pub(in crate::routes) async fn parked(
    State(app): State<App>,
    context: RequestContext,
    Path(text): Path<String>,
) -> Result<Response, ApiError> {
    let name = name(&text)?;
    let read = context.params.parked_read()?;
    let consumers = app.consumers(&context)?;
    let page = consumers.parked(&name, read.after.as_ref(), read.limit);
    let page = app.in_time(Written::None, page).await?;
    let last = page.items.last().filter(|_| page.more);
    Ok(answer(&ParkedStreams {
        parked: page.items.iter().map(ParkedItem::from).collect(),
        next: last.map(|last| last.stream_id.as_str()),
    }))
}

/// Try a parked stream now
///
/// Also one that waits for an operator. The answer is its entry.
#[utoipa::path(
    post, path = "/consumers/{name}/retry", tag = "consumers", operation_id = "retry",
    request_body = RetryBody,
    params(("name" = String, Path, description = "The name"), CommonParams),
    responses(
        (status = 200, description = "The entry of the stream", body = ParkedItem),
        (status = 400, description = "`INVALID_CONSUMER_NAME`, `INVALID_BODY`, `INVALID_STREAM_ID`, `MISSING_STREAM_ID`, `INVALID_PARAMETER`", body = ErrorBody),
        (status = 403, description = "`FORBIDDEN`: a browser sends it for a web page of another site. Not on AWS Lambda", body = ErrorBody),
        (status = 404, description = "`CONSUMER_NOT_FOUND`, `STREAM_NOT_PARKED`", body = ErrorBody),
        (status = 501, description = "`CONSUMERS_NOT_SUPPORTED`", body = ErrorBody),
        (status = 503, description = "`STORAGE_UNAVAILABLE`, `OVERLOADED`", body = ErrorBody),
    )
)]
pub(in crate::routes) async fn retry(
    State(app): State<App>,
    context: RequestContext,
    Path(text): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let name = name(&text)?;
    context.params.only_common()?;
    let asked: RetryBody = body(&app, &context, request).await?;
    let stream_id = stream(&asked.stream_id)?;
    let consumers = app.consumers(&context)?;
    let retried = consumers.retry(&name, &stream_id);
    let parked = app.in_time(Written::Unknown, retried).await?;
    Ok(answer(&ParkedItem::from(&parked)))
}

/// Skip changesets of a parked stream
///
/// Up to `through_changeset`, which the consumer has passed by. The batch of its partition that is
/// out ends. The answer is the stream's entry as it was.
#[utoipa::path(
    post, path = "/consumers/{name}/skip", tag = "consumers", operation_id = "skip",
    request_body = SkipBody,
    params(("name" = String, Path, description = "The name"), CommonParams),
    responses(
        (status = 200, description = "The entry of the stream", body = ParkedItem),
        (status = 400, description = "`INVALID_CONSUMER_NAME`, `INVALID_BODY`, `INVALID_STREAM_ID`, `MISSING_STREAM_ID`, `INVALID_PARAMETER`", body = ErrorBody),
        (status = 403, description = "`FORBIDDEN`: a browser sends it for a web page of another site. Not on AWS Lambda", body = ErrorBody),
        (status = 404, description = "`CONSUMER_NOT_FOUND`, `STREAM_NOT_PARKED`", body = ErrorBody),
        (status = 501, description = "`CONSUMERS_NOT_SUPPORTED`", body = ErrorBody),
        (status = 503, description = "`STORAGE_UNAVAILABLE`, `OVERLOADED`", body = ErrorBody),
    )
)]
pub(in crate::routes) async fn skip(
    State(app): State<App>,
    context: RequestContext,
    Path(text): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let name = name(&text)?;
    context.params.only_common()?;
    let asked: SkipBody = body(&app, &context, request).await?;
    let stream_id = stream(&asked.stream_id)?;
    let through = changeset(asked.through_changeset)?;
    let consumers = app.consumers(&context)?;
    let skipped = consumers.skip(&name, &stream_id, through);
    let parked = app.in_time(Written::Unknown, skipped).await?;
    Ok(answer(&ParkedItem::from(&parked)))
}

/// Move a consumer to a checkpoint
///
/// All its partitions. The batches that are out end, and what follows the checkpoint is handed out
/// again. Parked streams that begin there or later are dropped. After a failure call it again.
#[utoipa::path(
    post, path = "/consumers/{name}/reset", tag = "consumers", operation_id = "reset",
    request_body = ResetBody,
    params(("name" = String, Path, description = "The name"), CommonParams),
    responses(
        (status = 200, description = "All partitions are there", body = Done),
        (status = 400, description = "`INVALID_CONSUMER_NAME`, `INVALID_BODY`, `CHECKPOINT_BEYOND_HEAD`, `INVALID_PARAMETER`", body = ErrorBody),
        (status = 403, description = "`FORBIDDEN`: a browser sends it for a web page of another site. Not on AWS Lambda", body = ErrorBody),
        (status = 404, description = "`CONSUMER_NOT_FOUND`", body = ErrorBody),
        (status = 501, description = "`CONSUMERS_NOT_SUPPORTED`", body = ErrorBody),
        (status = 503, description = "`STORAGE_UNAVAILABLE`, `OVERLOADED`", body = ErrorBody),
    )
)]
pub(in crate::routes) async fn reset(
    State(app): State<App>,
    context: RequestContext,
    Path(text): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let name = name(&text)?;
    context.params.only_common()?;
    let asked: ResetBody = body(&app, &context, request).await?;
    let checkpoint = checkpoint(asked.checkpoint)?;
    let consumers = app.consumers(&context)?;
    let reset = consumers.reset(&name, checkpoint);
    app.in_time(Written::Unknown, reset).await?;
    Ok(answer(&Done {}))
}
