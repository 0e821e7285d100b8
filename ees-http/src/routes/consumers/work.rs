//! What workers do: claim, acknowledge, release.

use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ees_core::consumer::{Claim, Claiming, ConsumerName, Delivery};
use ees_core::{MAX_ID, Written};

use super::bodies::{AckBody, ClaimBody, NextBody, ReleaseBody, body, check_limits, name};
use crate::answer::{ChangesetItem, ConsumerBatch, Done, answer, ok};
use crate::app::App;
use crate::context::RequestContext;
use crate::error::ApiError;
use crate::error_body::ErrorBody;
use crate::json::{Raw, to_json};
use crate::long_work::{bytes_of, work};
use crate::page::write_page;
use crate::routes::parameters::CommonParams;

/// Claim a batch
///
/// Of the partition that is free and has waited longest. Nobody else gets the partition until the
/// batch is acknowledged or released, or its lease ends. With `wait`, the call is a long poll.
#[utoipa::path(
    post, path = "/consumers/{name}/claim", tag = "consumers", operation_id = "claim",
    request_body = ClaimBody,
    params(
        ("name" = String, Path, description = "The name"),
        ("details" = Option<bool>, Query, description = "Adds event ids, timestamps and keys"),
        CommonParams,
    ),
    responses(
        (status = 200, description = "A batch", body = ConsumerBatch),
        (status = 204, description = "There is nothing, or every partition is held"),
        (status = 400, description = "`INVALID_CONSUMER_NAME`, `INVALID_BODY`, `INVALID_PARAMETER`", body = ErrorBody),
        (status = 403, description = "`FORBIDDEN`: a browser sends it for a web page of another site. Not on AWS Lambda", body = ErrorBody),
        (status = 404, description = "`CONSUMER_NOT_FOUND`", body = ErrorBody),
        (status = 501, description = "`CONSUMERS_NOT_SUPPORTED`", body = ErrorBody),
        (status = 503, description = "`STORAGE_UNAVAILABLE`, `OVERLOADED`", body = ErrorBody),
    )
)]
pub(in crate::routes) async fn claim(
    State(app): State<App>,
    context: RequestContext,
    Path(text): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let name = name(&text)?;
    let details = context.params.only_common()?.details;
    let asked: ClaimBody = body(&app, &context, request).await?;
    asked.check()?;
    let claim = Claim::new(asked.worker).limit(asked.limit);
    let wait = Duration::from_secs(asked.wait);
    let delivery = Box::pin(claimed(&app, &context, &name, claim, wait)).await?;
    Ok(batch(&context, delivery.as_ref(), details).await)
}

/// Acknowledge a batch
///
/// `checkpoint` is the first position that is not handled. What failed is parked: its stream waits,
/// the others go on. With `next`, the answer is the next batch, as for a claim. Sent again because
/// its answer was lost, it answers the same batch again while that is out.
#[utoipa::path(
    post, path = "/consumers/{name}/ack", tag = "consumers", operation_id = "acknowledge",
    request_body = AckBody,
    params(
        ("name" = String, Path, description = "The name"),
        ("details" = Option<bool>, Query, description = "Adds event ids, timestamps and keys"),
        CommonParams,
    ),
    responses(
        (status = 200, description = "With `next` the next batch, without it an empty object", body = ConsumerBatch),
        (status = 204, description = "With `next`: acknowledged, there is nothing, and no partition is held"),
        (status = 400, description = "`INVALID_CONSUMER_NAME`, `INVALID_BODY`, `INVALID_STREAM_ID`, `MISSING_STREAM_ID`, `INVALID_PARAMETER`", body = ErrorBody),
        (status = 403, description = "`FORBIDDEN`: a browser sends it for a web page of another site. Not on AWS Lambda", body = ErrorBody),
        (status = 404, description = "`CONSUMER_NOT_FOUND`", body = ErrorBody),
        (status = 409, description = "`FENCED`: the batch is not out any more, and nothing was changed. `generation` is that of the partition's last batch", body = ErrorBody),
        (status = 501, description = "`CONSUMERS_NOT_SUPPORTED`", body = ErrorBody),
        (status = 503, description = "`STORAGE_UNAVAILABLE`, `OVERLOADED`: send it again", body = ErrorBody),
    )
)]
pub(in crate::routes) async fn ack(
    State(app): State<App>,
    context: RequestContext,
    Path(text): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let name = name(&text)?;
    let details = context.params.only_common()?.details;
    let asked: AckBody = body(&app, &context, request).await?;
    let ack = asked.ack()?;
    let next = asked.next.as_ref();
    next.map_or(Ok(()), |next| check_limits(next.limit, next.wait))?;
    let limit = next.map(|next| next.limit);
    let consumers = app.consumers(&context)?;
    let done = consumers.acknowledge(&name, asked.partition, &ack, limit);
    let done = app.in_time(Written::Unknown, done).await?;
    let Some(NextBody { wait, .. }) = next else {
        return Ok(answer(&Done {}));
    };
    let delivery = if done.delivery.is_some() {
        done.delivery
    } else {
        let wait = Duration::from_secs(*wait);
        Box::pin(claimed(&app, &context, &name, done.claim, wait)).await?
    };
    Ok(batch(&context, delivery.as_ref(), details).await)
}

/// Give a batch back
///
/// Its changesets are handed out again, at once.
#[utoipa::path(
    post, path = "/consumers/{name}/release", tag = "consumers", operation_id = "release",
    request_body = ReleaseBody,
    params(("name" = String, Path, description = "The name"), CommonParams),
    responses(
        (status = 200, description = "The partition is free", body = Done),
        (status = 400, description = "`INVALID_CONSUMER_NAME`, `INVALID_BODY`, `INVALID_PARAMETER`", body = ErrorBody),
        (status = 403, description = "`FORBIDDEN`: a browser sends it for a web page of another site. Not on AWS Lambda", body = ErrorBody),
        (status = 404, description = "`CONSUMER_NOT_FOUND`", body = ErrorBody),
        (status = 409, description = "`FENCED`", body = ErrorBody),
        (status = 501, description = "`CONSUMERS_NOT_SUPPORTED`", body = ErrorBody),
        (status = 503, description = "`STORAGE_UNAVAILABLE`, `OVERLOADED`", body = ErrorBody),
    )
)]
pub(in crate::routes) async fn release(
    State(app): State<App>,
    context: RequestContext,
    Path(text): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let name = name(&text)?;
    context.params.only_common()?;
    let asked: ReleaseBody = body(&app, &context, request).await?;
    let consumers = app.consumers(&context)?;
    let released = consumers.release(&name, asked.partition, asked.generation);
    app.in_time(Written::Unknown, released).await?;
    Ok(answer(&Done {}))
}

/// Claims a batch. A claim that waits counts as a long poll, and has its permit only while it looks.
async fn claimed(
    app: &App,
    context: &RequestContext,
    name: &ConsumerName,
    claim: Claim,
    wait: Duration,
) -> Result<Option<Delivery>, ApiError> {
    let claiming: Claiming = app.consumers(context)?.claiming(name, claim);
    let waits = !wait.is_zero();
    let _poll = waits.then(|| app.gate.open_poll()).transpose()?;
    let look = || claiming.look();
    let is_empty = |found: &Option<Delivery>| found.is_none();
    let delivery = Box::pin(app.poll(&context.permit, wait, look, is_empty)).await?;
    if delivery.is_none() {
        app.in_time(Written::Unknown, claiming.give_up()).await?;
    }
    Ok(delivery)
}

/// Answers a batch. What does not fit into the answer is handed out again after its acknowledgement.
async fn batch(context: &RequestContext, delivery: Option<&Delivery>, details: bool) -> Response {
    let Some(delivery) = delivery else {
        return StatusCode::NO_CONTENT.into_response();
    };
    let items = &delivery.changesets;
    let next = |taken: usize| {
        let left = items.get(taken).and_then(|changeset| changeset.checkpoint);
        left.unwrap_or(delivery.next).get()
    };
    let body = |changesets: Raw<'_>, next_checkpoint| {
        to_json(&ConsumerBatch {
            partition: delivery.partition,
            generation: delivery.generation,
            lease_seconds: delivery.lease.as_secs(),
            kind: if delivery.is_retry { "retry" } else { "live" },
            changesets,
            next_checkpoint,
        })
    };
    let items = items.iter();
    let items = items.map(|changeset| ChangesetItem::of_all(changeset, details));
    let write = || write_page(context.layout, items, MAX_ID, next, body);
    ok(work(bytes_of(&delivery.changesets), write).await)
}
