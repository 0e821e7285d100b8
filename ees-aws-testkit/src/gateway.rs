//! API Gateway: an HTTP server that passes requests to a function as a REST API does.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::function::{Function, FunctionError};
use crate::template::Route;
use crate::{Error, Options};

mod answer;
mod event;

use event::{Asked, STAGE};

/// The maximum size of a request's body in bytes.
const MAX_BODY: usize = 10 * 1024 * 1024;

/// How long a function may take to answer.
const PATIENCE: Duration = Duration::from_secs(29);

/// The maximum number of concurrent requests. Requests beyond the functions' concurrency wait.
const MOST: usize = 2000;

/// An API. It stops when it is dropped.
pub(crate) struct Gateway {
    url: String,
    serving: JoinHandle<()>,
}

/// A function and its routes.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) function: Arc<Function>,
    pub(crate) routes: Vec<Route>,
}

struct Shared {
    targets: Vec<Target>,
    /// Whether bodies are passed unchanged in Base64, and not as text.
    binary: bool,
    patience: Duration,
    room: tokio::sync::Semaphore,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Gateway {
    pub(crate) async fn start(
        targets: Vec<Target>,
        binary: bool,
        options: &Options,
    ) -> Result<Self, Error> {
        let failed = |error| Error::start("the API")(error);
        let listener = TcpListener::bind(("127.0.0.1", options.port))
            .await
            .map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let room = tokio::sync::Semaphore::new(MOST);
        let router = Router::new().fallback(handle).with_state(Arc::new(Shared {
            targets,
            binary,
            patience: PATIENCE + options.grace,
            room,
        }));
        let serving = tokio::spawn(async move {
            // The server ends with the task.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            url: format!("http://{address}/{STAGE}"),
            serving,
        })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let Ok(_room) = shared.room.try_acquire() else {
        return refusal(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests");
    };
    let (head, body) = request.into_parts();
    let Some(asked) = Asked::new(head) else {
        return refusal(StatusCode::FORBIDDEN, "Forbidden");
    };
    let Some((target, route)) = find(&shared.targets, &asked) else {
        return refusal(StatusCode::FORBIDDEN, "Missing Authentication Token");
    };
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, "Request Too Long");
    };
    let event = asked.event(&route.path, &body, shared.binary);
    match timeout(shared.patience, target.function.invoke(&event)).await {
        Ok(answer) => of_function(answer, shared.binary),
        Err(_) => refusal(StatusCode::GATEWAY_TIMEOUT, "Endpoint request timed out"),
    }
}

fn of_function(answer: Result<Value, FunctionError>, binary: bool) -> Response {
    let wrong = || refusal(StatusCode::BAD_GATEWAY, "Internal server error");
    match answer {
        Ok(answer) => answer::to_response(&answer, binary).unwrap_or_else(wrong),
        Err(FunctionError::TooLarge {
            what: "the event", ..
        }) => refusal(StatusCode::PAYLOAD_TOO_LARGE, "Request Too Long"),
        Err(_) => wrong(),
    }
}

/// Finds the route of a request. An exact path takes precedence over a prefix.
fn find<'a>(targets: &'a [Target], asked: &Asked) -> Option<(&'a Target, &'a Route)> {
    let routes = targets
        .iter()
        .flat_map(|target| target.routes.iter().map(move |route| (target, route)));
    let fitting = routes.filter(|(_, route)| asked.fits(route));
    fitting.max_by_key(|(_, route)| !route.path.contains('{'))
}

/// An answer of the gateway itself.
fn refusal(status: StatusCode, message: &str) -> Response {
    let mut response = Response::new(Body::from(json!({ "message": message }).to_string()));
    *response.status_mut() = status;
    let json = axum::http::HeaderValue::from_static("application/json");
    response.headers_mut().insert("content-type", json);
    response
}
