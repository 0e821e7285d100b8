//! The version of the program, and the description of its calls.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::VARY;
use axum::response::{IntoResponse, Redirect, Response};

use super::parameters::CommonParams;
use crate::answer::{Version, Welcome, answer, ok};
use crate::app::App;
use crate::browser::wants_page;
use crate::context::RequestContext;
use crate::error::ApiError;
use crate::error_body::ErrorBody;

/// The calls, by what they answer.
const LINKS: [(&str, &str); 7] = [
    ("all_changesets", "/changesets"),
    ("all_events", "/events"),
    ("description", "/openapi.json"),
    ("health", "/health/ready"),
    ("log", "/log/head"),
    ("statistics", "/streams"),
    ("stream", "/streams/{stream_id}"),
];

/// Read where to begin
#[utoipa::path(
    get, path = "/", tag = "service", operation_id = "welcome",
    params(CommonParams),
    responses(
        (status = 200, description = "The version, and the paths of calls", body = Welcome),
        (status = 303, description = "`ees serve` with its console, to a browser: the console's address"),
        (status = 400, description = "`INVALID_PARAMETER`", body = ErrorBody),
        (status = 503, description = "`OVERLOADED`", body = ErrorBody),
    )
)]
pub(super) async fn welcome(
    State(app): State<App>,
    context: RequestContext,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    context.params.only_common()?;
    if let Some(pages) = &app.options.pages
        && wants_page(&headers)
    {
        return Ok(([(VARY, "Accept")], Redirect::to(pages.entry)).into_response());
    }
    Ok(answer(&Welcome {
        service: "Elastic Event Store",
        version: env!("CARGO_PKG_VERSION"),
        links: LINKS.into_iter().collect(),
    }))
}

/// Read the program's version
#[utoipa::path(
    get, path = "/version", tag = "service", operation_id = "version",
    params(CommonParams),
    responses(
        (status = 200, description = "The version", body = Version),
        (status = 400, description = "`INVALID_PARAMETER`", body = ErrorBody),
        (status = 503, description = "`OVERLOADED`", body = ErrorBody),
    )
)]
pub(super) async fn version(context: RequestContext) -> Result<Response, ApiError> {
    context.params.only_common()?;
    let version = env!("CARGO_PKG_VERSION");
    Ok(answer(&Version { version }))
}

/// Read the OpenAPI description
#[utoipa::path(
    get, path = "/openapi.json", tag = "service", operation_id = "openapi",
    params(CommonParams),
    responses(
        (status = 200, description = "The OpenAPI 3.1 description", body = serde_json::Value),
        (status = 400, description = "`INVALID_PARAMETER`", body = ErrorBody),
        (status = 503, description = "`OVERLOADED`", body = ErrorBody),
    )
)]
pub(super) async fn openapi(
    State(app): State<App>,
    context: RequestContext,
) -> Result<Response, ApiError> {
    context.params.common()?;
    Ok(ok((app.description)().as_bytes().to_vec()))
}
