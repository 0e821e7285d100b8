//! The metrics of the process. No gate turns this call away.

use super::unmatched::invalid_endpoint;
use crate::app::App;
use crate::error::ApiError;
use crate::error_body::ErrorBody;
use crate::measured::Measured;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};

/// The type of Prometheus text.
const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Read the metrics
///
/// As Prometheus text. Not on AWS Lambda.
#[utoipa::path(
    get, path = "/metrics", tag = "service", operation_id = "metrics",
    responses(
        (status = 200, description = "The metrics of the process", body = String, content_type = "text/plain"),
        (status = 404, description = "`INVALID_ENDPOINT`: the host has no metrics", body = ErrorBody),
    )
)]
pub(super) async fn metrics(State(app): State<App>, uri: Uri) -> Result<Response, ApiError> {
    let text = Measured::new(app).text().await;
    match text {
        Some(text) => Ok((StatusCode::OK, [(CONTENT_TYPE, PROMETHEUS_TEXT)], text).into_response()),
        None => Err(invalid_endpoint(uri).await),
    }
}
