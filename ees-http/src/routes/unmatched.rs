//! Requests that match no call.

use axum::http::{Method, StatusCode, Uri};
use ees_core::StreamIdError;

use crate::codes;
use crate::error::ApiError;
use crate::request::StreamPath;

pub(super) async fn missing_stream_id() -> ApiError {
    StreamIdError::Empty.into()
}

pub(super) async fn invalid_endpoint(uri: Uri) -> ApiError {
    let message = format!(
        "the path `{}` does not exist; `/openapi.json` lists those that do",
        uri.path()
    );
    ApiError::new(StatusCode::NOT_FOUND, codes::INVALID_ENDPOINT, message)
}

pub(super) async fn method_not_allowed(method: Method, uri: Uri, stream: StreamPath) -> ApiError {
    let message = format!("`{}` does not support the method {method}", uri.path());
    let status = StatusCode::METHOD_NOT_ALLOWED;
    stream.name(ApiError::new(status, codes::METHOD_NOT_ALLOWED, message))
}
