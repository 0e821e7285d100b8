//! What a supervisor asks; never turned away at the gate.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use ees_core::{StorageError, Written};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{App, method_not_allowed};
use crate::answer::{Health, ok, to_json};
use crate::error::{ApiError, ErrorBody};

/// How soon the storage must answer for the server to be ready.
const READY_WITHIN: Duration = Duration::from_secs(5);

/// The calls, each with its description.
pub(crate) fn described() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(live))
        .routes(routes!(ready))
}

pub(crate) fn router() -> Router<App> {
    let (router, _) = described().split_for_parts();
    router.method_not_allowed_fallback(method_not_allowed)
}

/// Ask whether the server runs
///
/// Only on a server of one's own.
#[utoipa::path(
    get, path = "/health/live", tag = "service", operation_id = "live",
    responses((status = 200, description = "It runs", body = Health))
)]
async fn live() -> Response {
    ok(to_json(&Health { status: "live" }))
}

/// Ask whether the server is ready
///
/// Ready is who can reach the storage and is not about to go. Only on a server of one's own.
#[utoipa::path(
    get, path = "/health/ready", tag = "service", operation_id = "ready",
    responses(
        (status = 200, description = "It is ready", body = Health),
        (status = 503, description = "`STORAGE_UNAVAILABLE`", body = ErrorBody),
    )
)]
async fn ready(State(app): State<App>) -> Result<Response, ApiError> {
    if app.options.closing.is_cancelled() {
        return Err(StorageError::unavailable("the server is shutting down", Written::None).into());
    }
    let asked = tokio::time::timeout(READY_WITHIN, app.store.next_checkpoint()).await;
    asked
        .map_err(|_| StorageError::unavailable("the storage does not answer", Written::None))??;
    Ok(ok(to_json(&Health { status: "ready" })))
}
