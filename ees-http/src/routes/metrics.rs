//! The metrics of the process. No gate turns this call away.

use std::time::Duration;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use ees_core::Error;
use ees_evidence::{Log, LogError};

use super::unmatched::invalid_endpoint;
use crate::app::App;
use crate::error::ApiError;
use crate::error_body::ErrorBody;
use crate::measure::set;

/// The type of Prometheus text.
const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The longest time that is waited for the storage: a metric that it does not tell in time is as it
/// was.
const STORAGE_WITHIN: Duration = Duration::from_secs(2);

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
    let Some(text) = &app.options.metrics else {
        return Err(invalid_endpoint(uri).await);
    };
    app.gate.measure();
    let _ = tokio::time::timeout(STORAGE_WITHIN, measure_store(&app)).await;
    let head = [(CONTENT_TYPE, PROMETHEUS_TEXT)];
    let mut text = text.write();
    app.consumer_metrics.write(&mut text);
    Ok((StatusCode::OK, head, text).into_response())
}

/// Measures how far the log is behind a head of the store, once anything is sealed.
async fn measure_log(app: &App, head: u64) -> Result<(), LogError> {
    let Some(log) = Log::of(&app.store) else {
        return Ok(());
    };
    if let Some(sealed) = log.head().await? {
        set("ees_log_size", sealed.size);
        set("ees_log_lag", head.saturating_sub(sealed.size));
    }
    Ok(())
}

/// Measures how far the store is, and its statistics and consumers behind it.
async fn measure_store(app: &App) -> Result<(), Error> {
    let head = app.store.next_checkpoint().await?.get();
    set("ees_head_checkpoint", head);
    // Damage of the log shall not hide what else there is to measure.
    let _ = measure_log(app, head).await;
    let counted = app.store.statistics().await?.version.get();
    set("ees_statistics_lag", head.saturating_sub(counted));
    match app.store.consumers() {
        Ok(consumers) => app.consumer_metrics.measure(&consumers).await,
        // The storage keeps none.
        Err(_) => Ok(()),
    }
}
