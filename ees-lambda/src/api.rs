//! The REST API behind API Gateway.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use ees_core::{EventStore, StorageError};
use ees_http::{Options, failing_router, router};
use lambda_http::http::{HeaderValue, Uri};
use lambda_http::request::{LambdaRequest, RequestContext};
use lambda_http::tower::ServiceExt;
use lambda_http::{Adapter, Error, LambdaEvent, Request, RequestExt, service_fn};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use tokio::sync::OnceCell;

use crate::store::Store;

/// The time limit of a request. API Gateway waits 29 seconds for an answer.
const REQUEST: Duration = Duration::from_secs(27);

/// The maximum size of a body, in percent of a page, when it is embedded in a JSON string. Lambda
/// limits an answer to 6 MB as a JSON string, in which quotes and line breaks take two bytes. 140
/// percent of a page are 5.9 MB.
const EMBEDDED_BODY_PERCENT: usize = 140;

/// The characters that a path must not contain. Escapes that are already in the path stay
/// unchanged.
const ILLEGAL: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

const REQUEST_ID: &str = "x-request-id";

pub(crate) async fn run(store: Store) -> Result<(), Error> {
    store.warm_up().await;
    let opened = OnceCell::new();
    let answers = service_fn(|request| answer(&store, &opened, request));
    lambda_runtime::run(Adapter::from(answers).map_request(with_every_header)).await
}

/// Removes the map of single-valued headers. A REST API sends the headers twice: with their last
/// value, and with all values. `lambda_http` would replace the latter by the former, so that a
/// repeated header would look like a single one.
fn with_every_header(mut event: LambdaEvent<LambdaRequest>) -> LambdaEvent<LambdaRequest> {
    if let LambdaRequest::ApiGatewayV1(request) = &mut event.payload
        && !request.multi_value_headers.is_empty()
    {
        request.headers.clear();
    }
    event
}

async fn answer(
    store: &Store,
    opened: &OnceCell<Router>,
    request: Request,
) -> Result<Response, Infallible> {
    let open = async || {
        let mut options = Options::default();
        options.request_timeout = REQUEST;
        options.embedded_body_percent = EMBEDDED_BODY_PERCENT;
        options.max_event_streams = 0;
        let storage = store.get().await?;
        let store = EventStore::new(Arc::clone(&storage))
            .with_consumers(Arc::clone(&storage) as _)
            .with_log(storage);
        store.identity().await.map_err(storage_error)?;
        Ok(router(store, options))
    };
    let router = opened.get_or_try_init(open).await.cloned();
    let router = router.unwrap_or_else(|error| failing_router(&error));
    router.oneshot(routed(request)).await
}

fn storage_error(error: ees_core::Error) -> StorageError {
    match error {
        ees_core::Error::Storage(error) => error,
        other => StorageError::Backend(Arc::new(other)),
    }
}

/// Converts a request to the form that the REST contract defines: without the stage, and with the
/// path as the client encoded it. A request without a request id gets the one of Lambda.
fn routed(request: Request) -> axum::extract::Request {
    let path = utf8_percent_encode(path(&request), ILLEGAL);
    let target = match request.uri().query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_string(),
    };
    let id = request.lambda_context_ref();
    let id = id.and_then(|context| HeaderValue::from_str(&context.request_id).ok());
    let mut request = request.map(Body::new);
    *request.uri_mut() = target.parse().unwrap_or_else(|_| Uri::from_static("/"));
    if let Some(id) = id {
        request.headers_mut().entry(REQUEST_ID).or_insert(id);
    }
    request
}

/// The path without the stage. In a REST API the path has no stage. In an HTTP API it begins with
/// the stage, unless that is the default stage. `lambda_http` adds the stage to every path, and
/// resolves an encoded `.` or `..`.
fn path(request: &Request) -> &str {
    let path = request.raw_http_path();
    let stage = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.stage.as_deref(),
        _ => None,
    };
    let rest = stage.and_then(|stage| path.strip_prefix('/')?.strip_prefix(stage));
    match rest {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
}
