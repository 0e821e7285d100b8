//! The Lambda Runtime API for one process.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc, watch};

use super::FunctionError;

/// The maximum size in bytes of an event or an answer: 6 MB, and room for its frame.
pub(super) const MAX_PAYLOAD_BYTES: usize = 6 * 1024 * 1024 + 100;

/// An invocation to process.
pub(super) struct Invocation {
    pub(super) id: String,
    pub(super) event: String,
    pub(super) timeout: Duration,
}

/// A message from a process.
pub(super) enum Said {
    /// The process could not start.
    Init(FunctionError),
    /// The result of an invocation, by its id.
    Answer(String, Result<Value, FunctionError>),
}

/// The state that the requests share.
pub(super) struct Api {
    pub(super) arn: String,
    pub(super) invocations: Mutex<mpsc::Receiver<Invocation>>,
    pub(super) said: mpsc::Sender<Said>,
    /// Whether the process has requested an invocation.
    pub(super) ready: watch::Sender<bool>,
}

/// Serves requests while it is polled.
pub(super) async fn serve(listener: TcpListener, api: Arc<Api>) -> io::Result<()> {
    let routes = Router::new()
        .route("/invocation/next", get(next))
        .route("/invocation/{id}/response", post(response))
        .route("/invocation/{id}/error", post(error))
        .route("/init/error", post(init_error))
        .layer(DefaultBodyLimit::disable())
        .with_state(api);
    axum::serve(listener, Router::new().nest("/2018-06-01/runtime", routes)).await
}

async fn next(State(api): State<Arc<Api>>) -> Response {
    api.ready.send_replace(true);
    let Some(invocation) = api.invocations.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let deadline = now.unwrap_or_default() + invocation.timeout;
    let headers = [
        ("Lambda-Runtime-Aws-Request-Id", invocation.id),
        (
            "Lambda-Runtime-Deadline-Ms",
            deadline.as_millis().to_string(),
        ),
        ("Lambda-Runtime-Invoked-Function-Arn", api.arn.clone()),
        (
            "Lambda-Runtime-Trace-Id",
            "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0".to_owned(),
        ),
        ("Content-Type", "application/json".to_owned()),
    ];
    (headers, invocation.event).into_response()
}

async fn response(
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
    body: Bytes,
) -> impl IntoResponse {
    let bytes = body.len();
    let (status, answer) = if bytes > MAX_PAYLOAD_BYTES {
        let what = "the answer";
        let error = FunctionError::TooLarge { what, bytes };
        (StatusCode::PAYLOAD_TOO_LARGE, Err(error))
    } else {
        let answer = serde_json::from_slice(&body).map_err(|error| FunctionError::Answered {
            kind: "Runtime.MalformedResponse".to_owned(),
            message: error.to_string(),
        });
        (StatusCode::ACCEPTED, answer)
    };
    tell(&api, status, Said::Answer(id, answer)).await
}

async fn error(
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
    body: Bytes,
) -> impl IntoResponse {
    let said = Said::Answer(id, Err(answered(&body)));
    tell(&api, StatusCode::ACCEPTED, said).await
}

async fn init_error(State(api): State<Arc<Api>>, body: Bytes) -> impl IntoResponse {
    let said = Said::Init(FunctionError::Init(answered(&body).to_string()));
    tell(&api, StatusCode::ACCEPTED, said).await
}

async fn tell(api: &Api, status: StatusCode, said: Said) -> Response {
    // After a timeout the receiver no longer exists.
    let _ = api.said.send(said).await;
    let body = json!({"status": status.canonical_reason()});
    (status, body.to_string()).into_response()
}

/// Reads an error in the Runtime API's form.
fn answered(body: &[u8]) -> FunctionError {
    let error: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    FunctionError::Answered {
        kind: text("errorType"),
        message: text("errorMessage"),
    }
}
