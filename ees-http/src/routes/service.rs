//! What the program says about itself.

use axum::http::Uri;
use axum::response::Response;

use crate::answer::{Version, ok, to_json};
use crate::error::{ApiError, ErrorBody};
use crate::openapi;
use crate::params::Params;

/// Read the program's version
#[utoipa::path(
    get, path = "/version", tag = "service", operation_id = "version",
    params(("pp" = Option<bool>, Query, description = "Lays the answer out over lines")),
    responses(
        (status = 200, description = "The version", body = Version),
        (status = 400, description = "`INVALID_PARAMETER`", body = ErrorBody),
        (status = 503, description = "`OVERLOADED`", body = ErrorBody),
    )
)]
pub(crate) async fn version(uri: Uri) -> Result<Response, ApiError> {
    Params::of(&uri).common()?;
    let version = env!("CARGO_PKG_VERSION");
    Ok(ok(to_json(&Version { version })))
}

/// Read this description
#[utoipa::path(
    get, path = "/openapi.json", tag = "service", operation_id = "openapi",
    params(("pp" = Option<bool>, Query, description = "Lays the answer out over lines")),
    responses(
        (status = 200, description = "The OpenAPI 3.1 description", body = serde_json::Value),
        (status = 400, description = "`INVALID_PARAMETER`", body = ErrorBody),
        (status = 503, description = "`OVERLOADED`", body = ErrorBody),
    )
)]
pub(crate) async fn openapi(uri: Uri) -> Result<Response, ApiError> {
    Params::of(&uri).common()?;
    Ok(ok(openapi::json().as_bytes().to_vec()))
}
