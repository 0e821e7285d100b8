//! Durable consumers: defining them, and how far they have come.

mod bodies;
mod operate;
mod work;

use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ees_core::Written;
use ees_core::consumer::{ConsumerDefinition, ConsumerReport};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::parameters::CommonParams;
use crate::answer::{ConsumerNames, ConsumerState, Done, answer};
use crate::app::App;
use crate::context::RequestContext;
use crate::error::ApiError;
use crate::error_body::ErrorBody;
use bodies::{DefinitionBody, body, name};

/// The calls of consumers, each with its description.
pub(super) fn described() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(names))
        .routes(routes!(define, state, remove))
        .routes(routes!(work::claim))
        .routes(routes!(work::ack))
        .routes(routes!(work::release))
        .routes(routes!(operate::parked))
        .routes(routes!(operate::retry))
        .routes(routes!(operate::skip))
        .routes(routes!(operate::reset))
}

/// List the consumers
#[utoipa::path(
    get, path = "/consumers", tag = "consumers", operation_id = "consumers",
    params(CommonParams),
    responses(
        (status = 200, description = "The names of all consumers", body = ConsumerNames),
        (status = 400, description = "`INVALID_PARAMETER`", body = ErrorBody),
        (status = 501, description = "`CONSUMERS_NOT_SUPPORTED`", body = ErrorBody),
        (status = 503, description = "`STORAGE_UNAVAILABLE`, `OVERLOADED`", body = ErrorBody),
    )
)]
pub(super) async fn names(
    State(app): State<App>,
    context: RequestContext,
) -> Result<Response, ApiError> {
    context.params.only_common()?;
    let consumers = app.consumers(&context)?;
    let consumers = app.in_time(Written::None, consumers.names()).await?;
    Ok(answer(&ConsumerNames { consumers }))
}

/// Define a consumer
///
/// The body is the definition; every member has a default. A definition cannot be changed: delete
/// the consumer and define it again.
#[utoipa::path(
    put, path = "/consumers/{name}", tag = "consumers", operation_id = "defineConsumer",
    request_body = DefinitionBody,
    params(
        ("name" = String, Path, description = "The name: 1 to 64 ASCII letters, digits, dots, underscores and hyphens"),
        CommonParams,
    ),
    responses(
        (status = 200, description = "The consumer stands with the same definition", body = ConsumerState),
        (status = 201, description = "The consumer is defined", body = ConsumerState),
        (status = 400, description = "`INVALID_CONSUMER_NAME`, `INVALID_BODY`, `INVALID_PARAMETER`, `CHECKPOINT_BEYOND_HEAD`", body = ErrorBody),
        (status = 403, description = "`FORBIDDEN`: a browser sends it for a web page of another site. Not on AWS Lambda", body = ErrorBody),
        (status = 409, description = "`CONSUMER_EXISTS`: it has another definition. `TOO_MANY_CONSUMERS`", body = ErrorBody),
        (status = 501, description = "`CONSUMERS_NOT_SUPPORTED`", body = ErrorBody),
        (status = 503, description = "`STORAGE_UNAVAILABLE`, `OVERLOADED`", body = ErrorBody),
    )
)]
pub(super) async fn define(
    State(app): State<App>,
    context: RequestContext,
    Path(text): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    context.params.only_common()?;
    let name = name(&text)?;
    let definition: ConsumerDefinition = body(&app, &context, request).await?;
    let consumers = app.consumers(&context)?;
    let defined = consumers.define(&name, &definition);
    let is_new = app.in_time(Written::Unknown, defined).await?;
    let report = app.in_time(Written::None, consumers.report(&name)).await?;
    let answer = answer(&ConsumerState::new(&report));
    Ok(if is_new {
        (StatusCode::CREATED, answer).into_response()
    } else {
        answer
    })
}

/// Read how far a consumer has come
///
/// With `passed`, the call waits until every partition is beyond that position, for at most `wait`
/// seconds: a writer that needs a projection to be current asks with the checkpoint of its commit.
#[utoipa::path(
    get, path = "/consumers/{name}", tag = "consumers", operation_id = "consumer",
    params(
        ("name" = String, Path, description = "The name"),
        ("passed" = Option<u64>, Query, description = "A position: adds `passed` and `parked_before`"),
        ("wait" = Option<u64>, Query, description = "With `passed`: the longest time to wait, in seconds, up to 20"),
        CommonParams,
    ),
    responses(
        (status = 200, description = "Its definition, its lag and its partitions", body = ConsumerState),
        (status = 400, description = "`INVALID_CONSUMER_NAME`, `INVALID_CHECKPOINT`, `INVALID_PARAMETER`", body = ErrorBody),
        (status = 404, description = "`CONSUMER_NOT_FOUND`", body = ErrorBody),
        (status = 501, description = "`CONSUMERS_NOT_SUPPORTED`", body = ErrorBody),
        (status = 503, description = "`STORAGE_UNAVAILABLE`, `OVERLOADED`", body = ErrorBody),
    )
)]
pub(super) async fn state(
    State(app): State<App>,
    context: RequestContext,
    Path(text): Path<String>,
) -> Result<Response, ApiError> {
    let name = name(&text)?;
    let read = context.params.consumer_read()?;
    let passed = read.passed;
    let waits = passed.is_some();
    let wait = if waits {
        read.wait.time
    } else {
        Duration::ZERO
    };
    let consumers = app.consumers(&context)?;
    let is_behind =
        |report: &ConsumerReport| passed.is_some_and(|position| !report.has_passed(position));
    let report = app.poll(&context.permit, wait, || consumers.report(&name), is_behind);
    let report = report.await?;
    let mut state = ConsumerState::new(&report);
    if let Some(position) = passed {
        let parked = consumers.parked_before(&name, position);
        state.parked_before = Some(app.in_time(Written::None, parked).await?);
        state.passed = Some(!is_behind(&report));
    }
    Ok(answer(&state))
}

/// Delete a consumer
///
/// With everything that is stored for it. Its batches that are out end.
#[utoipa::path(
    delete, path = "/consumers/{name}", tag = "consumers", operation_id = "deleteConsumer",
    params(("name" = String, Path, description = "The name"), CommonParams),
    responses(
        (status = 200, description = "The consumer is deleted", body = Done),
        (status = 400, description = "`INVALID_CONSUMER_NAME`, `INVALID_PARAMETER`", body = ErrorBody),
        (status = 403, description = "`FORBIDDEN`: a browser sends it for a web page of another site. Not on AWS Lambda", body = ErrorBody),
        (status = 404, description = "`CONSUMER_NOT_FOUND`", body = ErrorBody),
        (status = 501, description = "`CONSUMERS_NOT_SUPPORTED`", body = ErrorBody),
        (status = 503, description = "`STORAGE_UNAVAILABLE`, `OVERLOADED`", body = ErrorBody),
    )
)]
pub(super) async fn remove(
    State(app): State<App>,
    context: RequestContext,
    Path(text): Path<String>,
) -> Result<Response, ApiError> {
    context.params.only_common()?;
    let name = name(&text)?;
    let consumers = app.consumers(&context)?;
    app.in_time(Written::Unknown, consumers.remove(&name))
        .await?;
    Ok(answer(&Done {}))
}
