//! The health of the server. No gate turns these calls away.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use ees_core::{StorageError, Written};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::answer::{Health, answer};
use crate::app::App;
use crate::error::ApiError;
use crate::error_body::ErrorBody;

/// The longest time for the storage to answer while the server is ready.
const READY_WITHIN: Duration = Duration::from_secs(5);

/// The calls, each with its description.
pub(super) fn described() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(live))
        .routes(routes!(ready))
}

/// Ask whether the server runs
///
/// Not on AWS Lambda.
#[utoipa::path(
    get, path = "/health/live", tag = "service", operation_id = "live",
    responses((status = 200, description = "The server runs", body = Health))
)]
async fn live() -> Response {
    answer(&Health { status: "live" })
}

/// Ask whether the server is ready
///
/// Ready means that the storage answers within 5 s, that commits can be written, and that no shutdown
/// has begun. After a commit failed in the storage, this call tries a write on SQLite and PostgreSQL,
/// and a read on other storages. Not on AWS Lambda.
#[utoipa::path(
    get, path = "/health/ready", tag = "service", operation_id = "ready",
    responses(
        (status = 200, description = "The server is ready", body = Health),
        (status = 503, description = "`STORAGE_UNAVAILABLE`: the server is not ready; `message` has the reason", body = ErrorBody),
    )
)]
async fn ready(State(app): State<App>) -> Result<Response, ApiError> {
    if app.options.closing.is_cancelled() {
        return Err(StorageError::unavailable("the server is shutting down", Written::None).into());
    }
    let asked = tokio::time::timeout(READY_WITHIN, app.store.check_ready()).await;
    let not_ready = |reason: &str| StorageError::unavailable(reason, Written::None);
    match asked.map_err(|_| not_ready("the storage does not answer"))? {
        Ok(()) => {}
        Err(error) if error.is_retryable() => return Err(error.into()),
        Err(error) => return Err(not_ready(&error.to_string()).into()),
    }
    Ok(answer(&Health { status: "ready" }))
}
