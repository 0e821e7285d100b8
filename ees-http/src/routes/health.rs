//! What a supervisor asks; never turned away at the gate.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use ees_core::ports::{StorageError, Written};

use super::{App, method_not_allowed};
use crate::answer::{Health, ok, to_json};
use crate::error::ApiError;

/// How soon the storage must answer for the server to be ready.
const READY_WITHIN: Duration = Duration::from_secs(5);

pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .method_not_allowed_fallback(method_not_allowed)
}

async fn live() -> Response {
    ok(to_json(&Health { status: "live" }))
}

/// Ready is who can reach the storage and is not about to go.
async fn ready(State(app): State<App>) -> Result<Response, ApiError> {
    if app.options.closing.is_cancelled() {
        return Err(StorageError::unavailable("the server is shutting down", Written::None).into());
    }
    let asked = tokio::time::timeout(READY_WITHIN, app.store.next_checkpoint()).await;
    asked
        .map_err(|_| StorageError::unavailable("the storage does not answer", Written::None))??;
    Ok(ok(to_json(&Health { status: "ready" })))
}
