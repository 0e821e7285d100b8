//! The HTTP endpoint of a function: a REST API of API Gateway, or a function URL.

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
mod rules;
mod signature;
mod url_event;

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

/// What stands before the functions.
#[derive(Clone)]
pub(crate) enum Front {
    /// A REST API with the routes of several functions.
    Rest {
        targets: Vec<Target>,
        /// Whether bodies are passed unchanged in Base64, and not as text.
        binary: bool,
    },
    /// The URL of one function.
    Url(Arc<Function>),
}

/// A function and its routes.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) function: Arc<Function>,
    pub(crate) routes: Vec<Route>,
}

struct Shared {
    front: Front,
    patience: Duration,
    signed: bool,
    room: tokio::sync::Semaphore,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Gateway {
    pub(crate) async fn start(front: Front, options: &Options) -> Result<Self, Error> {
        let failed = |error| Error::start("the API")(error);
        let listener = TcpListener::bind(("127.0.0.1", options.port))
            .await
            .map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let room = tokio::sync::Semaphore::new(MOST);
        let stage = match front {
            Front::Rest { .. } => format!("/{STAGE}"),
            Front::Url(_) => String::new(),
        };
        let router = Router::new().fallback(handle).with_state(Arc::new(Shared {
            front,
            patience: PATIENCE + options.grace,
            signed: options.signed,
            room,
        }));
        let serving = tokio::spawn(async move {
            // The server ends with the task.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            url: format!("http://{address}{stage}"),
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
    match &shared.front {
        Front::Rest { targets, binary } => rest(&shared, targets, *binary, request).await,
        Front::Url(function) => by_url(&shared, function, request).await,
    }
}

async fn rest(shared: &Shared, targets: &[Target], binary: bool, request: Request) -> Response {
    let (head, body) = request.into_parts();
    if let Some(rule) = rules::of_rest(&head) {
        return refusal(rule.status, rule.message);
    }
    let Some(asked) = Asked::new(head) else {
        return refusal(StatusCode::FORBIDDEN, "Forbidden");
    };
    let Some((target, route)) = find(targets, &asked) else {
        return refusal(StatusCode::FORBIDDEN, "Missing Authentication Token");
    };
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, "Request Too Long");
    };
    if shared.signed && !signature::is_valid(asked.head(), &body, "execute-api") {
        return refusal(StatusCode::FORBIDDEN, "Missing Authentication Token");
    }
    let event = asked.event(&route.path, &body, binary);
    match timeout(shared.patience, target.function.invoke(&event)).await {
        Ok(answer) => of_function(answer, binary),
        Err(_) => refusal(StatusCode::GATEWAY_TIMEOUT, "Endpoint request timed out"),
    }
}

/// A function URL has no limit of its own on the time: the function's timeout ends a request.
async fn by_url(shared: &Shared, function: &Function, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    };
    if shared.signed && !signature::is_valid(&head, &body, "lambda") {
        return refusal(StatusCode::FORBIDDEN, "Forbidden");
    }
    let event = url_event::of(&head, &body);
    of_function(function.invoke(&event).await, true)
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
