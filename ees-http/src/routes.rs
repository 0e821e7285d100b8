//! The resources.

mod changesets;
mod events;
pub(crate) mod health;
mod service;
mod streams;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use ees_core::{CommitId, Error, EventStore, StorageError, StreamId, StreamIdError, Written};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Options;
use crate::error::ApiError;
use crate::finish::{finish, panicked};
use crate::foreign::refuse_foreign_pages;
use crate::gate::{Gate, Place, admit};

/// Room for a body's JSON around the payload.
const BODY_FRAME_BYTES: usize = 64 * 1024;

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct App {
    store: EventStore,
    gate: Gate,
    options: Arc<Options>,
}

impl App {
    pub(crate) fn new(store: EventStore, options: Options) -> Self {
        Self {
            store,
            gate: Gate::new(&options),
            options: Arc::new(options),
        }
    }

    fn max_body_bytes(&self) -> usize {
        self.store.max_changeset_bytes() + BODY_FRAME_BYTES
    }

    /// Gives a use case no more time than a request has.
    async fn in_time<T, E: Into<Error>>(
        &self,
        written: Written,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, ApiError> {
        let limit = self.options.request_timeout;
        match tokio::time::timeout(limit, work).await {
            Ok(result) => Ok(result.map_err(Into::into)?),
            Err(_) => Err(no_answer(limit, written).into()),
        }
    }

    /// Reads a page of the global order; while it is empty, waits for another, so long and no
    /// longer. Whoever waits takes a place only to read, and for the answer.
    async fn poll<P, R: Future<Output = Result<P, Error>>>(
        &self,
        place: &Place,
        wait: Duration,
        read: impl Fn() -> R,
        is_empty: impl Fn(&P) -> bool,
    ) -> Result<P, ApiError> {
        if wait.is_zero() {
            return self.in_time(Written::None, read()).await;
        }
        let in_turn = || async {
            self.gate.take_turn(place).await;
            let page = read().await?;
            if is_empty(&page) {
                place.leave();
            }
            Ok(page)
        };
        let page = async {
            tokio::select! {
                page = self.store.await_page(wait, in_turn, &is_empty) => page,
                () = self.options.closing.cancelled() => in_turn().await,
            }
        };
        self.in_time(Written::None, page).await
    }
}

fn no_answer(limit: Duration, written: Written) -> StorageError {
    StorageError::unavailable(format!("no answer within {} s", limit.as_secs()), written)
}

/// The calls of the contract, each with its description.
pub(crate) fn described() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(streams::commit, streams::head))
        .routes(routes!(streams::statistics))
        .routes(routes!(changesets::of_stream))
        .routes(routes!(changesets::all))
        .routes(routes!(events::of_stream))
        .routes(routes!(events::all))
        .routes(routes!(service::version))
        .routes(routes!(service::openapi))
}

/// The contract that every host serves; one that browsers may reach by themselves refuses what
/// they send for other sites' pages.
pub(crate) fn contract(app: App, is_open: bool) -> Router {
    let gate = app.gate.clone();
    let (described, _) = described().split_for_parts();
    described
        .route("/streams/", get(missing_stream_id).post(missing_stream_id))
        .route("/streams//changesets", get(missing_stream_id))
        .route("/streams//events", get(missing_stream_id))
        .fallback(invalid_endpoint)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(app)
        // One layer of several, as a router boxes and clones each of its layers for each request.
        .layer(
            ServiceBuilder::new()
                .layer(from_fn(finish))
                .layer(CatchPanicLayer::custom(panicked))
                .option_layer(is_open.then(|| from_fn(refuse_foreign_pages)))
                .layer(from_fn_with_state(gate, admit)),
        )
}

/// The contract, and what only a server of one's own has, which no gate holds up.
pub(crate) fn self_hosted(app: App) -> Router {
    let health = health::router().with_state(app.clone());
    let finished = ServiceBuilder::new()
        .layer(from_fn(finish))
        .layer(CatchPanicLayer::custom(panicked));
    contract(app, true).merge(health.layer(finished))
}

/// One answer to everything.
pub(crate) fn failing(error: &StorageError) -> Router {
    let answer = ApiError::from(error.clone());
    Router::new()
        .fallback(async || answer)
        .layer(from_fn(finish))
}

async fn missing_stream_id() -> ApiError {
    StreamIdError::Empty.into()
}

async fn invalid_endpoint(uri: Uri) -> ApiError {
    let message = format!("`{}` is no path of this API; see /openapi.json", uri.path());
    ApiError::new(StatusCode::NOT_FOUND, "INVALID_ENDPOINT", message)
}

async fn method_not_allowed(method: Method, uri: Uri, stream: StreamPath) -> ApiError {
    let message = format!("`{}` cannot be called with {method}", uri.path());
    let status = StatusCode::METHOD_NOT_ALLOWED;
    stream.name(ApiError::new(status, "METHOD_NOT_ALLOWED", message))
}

/// What a request that gets no further is told besides: its stream, and the key to repeat a
/// commit with.
pub(crate) async fn refused(error: ApiError, request: Request) -> ApiError {
    let (mut parts, _) = request.into_parts();
    let Ok(stream) = StreamPath::from_request_parts(&mut parts, &()).await;
    let is_commit = parts.method == Method::POST && stream.0.is_ok();
    let error = stream.name(error);
    match streams::idempotency_key(&parts.headers) {
        Ok(key) if is_commit => error.repeatable_with(&key.unwrap_or_else(CommitId::generate)),
        _ => error,
    }
}

/// The stream that the path names, not checked yet; otherwise what is wrong with the path.
pub(crate) struct StreamPath(Result<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for StreamPath {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        if let Some(escape) = bad_escape(parts.uri.path()) {
            let wrong = format!("`{escape}` escapes nothing; a percent sign is written `%25`");
            return Ok(Self(Err(wrong)));
        }
        let path: Result<Path<String>, PathRejection> =
            Path::from_request_parts(parts, state).await;
        let text = path.map(|Path(text)| text);
        Ok(Self(text.map_err(|rejection| rejection.to_string())))
    }
}

impl StreamPath {
    /// Names the stream in an error, if the path has one.
    fn name(&self, error: ApiError) -> ApiError {
        match &self.0 {
            Ok(text) => error.on_stream(text),
            Err(_) => error,
        }
    }

    /// Checks the id, before anything else is looked at, and names the stream in whatever error
    /// follows.
    async fn answer(
        self,
        act: impl AsyncFnOnce(StreamId) -> Result<Response, ApiError>,
    ) -> Result<Response, ApiError> {
        let text = self.0.map_err(|wrong| {
            let message = format!("the stream id is no percent-encoded UTF-8: {wrong}");
            ApiError::bad_request("INVALID_STREAM_ID", message)
        })?;
        let answer = match StreamId::new(&text) {
            Ok(stream_id) => act(stream_id).await,
            Err(error) => Err(error.into()),
        };
        answer.map_err(|error| error.on_stream(&text))
    }
}

/// The first `%` that two hexadecimal digits do not follow. To decode it as itself would give one
/// stream two paths.
fn bad_escape(path: &str) -> Option<&str> {
    let escapes = path.match_indices('%');
    let mut escapes = escapes.map(|(at, percent)| path.get(at..at + 3).unwrap_or(percent));
    escapes.find(|escape| {
        let mut digits = escape.bytes().skip(1);
        escape.len() < 3 || !digits.all(|digit| digit.is_ascii_hexdigit())
    })
}
