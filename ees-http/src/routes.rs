//! The calls of the contract, and the layers around them.

mod changesets;
mod consumers;
#[cfg(feature = "docs")]
mod docs;
mod event_stream;
mod events;
mod health;
mod log;
mod metrics;
mod pages;
mod parameters;
mod service;
mod sets;
mod streams;
mod unmatched;

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use ees_core::{EventStore, StorageError};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{Access, Authorizer, authorize};
use crate::admit::admit;
use crate::app::App;
use crate::error::ApiError;
use crate::finish::{Host, finish, panicked};
use crate::foreign::refuse_foreign_pages;
use crate::gate::Gate;
use crate::hosts::{Hosts, refuse_other_hosts};
use crate::measure::Answers;
use crate::openapi;
use crate::options::Options;

pub(crate) fn app(store: EventStore, options: Options) -> App {
    App::new(store, options, description)
}

/// The calls of the contract, each with its description.
fn described() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(streams::commit, streams::head))
        .routes(routes!(sets::commit_all))
        .routes(routes!(streams::statistics))
        .routes(routes!(changesets::of_stream))
        .routes(routes!(changesets::all))
        .routes(routes!(events::of_stream))
        .routes(routes!(events::all))
        .merge(consumers::described())
        .merge(log::described())
        .routes(routes!(service::welcome))
        .routes(routes!(service::version))
        .routes(routes!(service::openapi))
}

/// The OpenAPI description as JSON, made once.
pub(crate) fn description() -> &'static str {
    static JSON: OnceLock<String> = OnceLock::new();
    JSON.get_or_init(|| {
        let calls = described().merge(own_described());
        openapi::describe(calls.into_openapi())
    })
}

/// The contract, for any host.
pub(crate) fn contract(app: App) -> Router {
    layered(app, false)
}

/// The contract, and the additions for a server that clients reach directly. The gate does not
/// limit these.
pub(crate) fn self_hosted(app: App) -> Router {
    let hosts = app.options.hosts.clone();
    let authorizer = app.options.authorizer.clone();
    let own = own_calls(app.clone(), hosts.clone(), authorizer);
    let own = own.merge(page(&app, hosts.clone()));
    let own = own.merge(browser_pages(&app, hosts));
    layered(app, true).merge(own)
}

/// The description as a page, which is public.
#[cfg(feature = "docs")]
fn page(app: &App, hosts: Option<Hosts>) -> Router {
    let layers = ServiceBuilder::new()
        .layer(from_fn_with_state(host(app, None), finish))
        .option_layer(hosts.map(|hosts| from_fn_with_state(hosts, refuse_other_hosts)));
    docs::routes().layer(layers)
}

#[cfg(not(feature = "docs"))]
fn page(_: &App, _: Option<Hosts>) -> Router {
    Router::new()
}

/// The pages of the host, which authenticate their callers themselves.
fn browser_pages(app: &App, hosts: Option<Hosts>) -> Router {
    let Some(pages) = app.options.pages.clone() else {
        return Router::new();
    };
    let layers = ServiceBuilder::new()
        .layer(from_fn_with_state(
            host(app, Some(app.gate.clone())),
            finish,
        ))
        .layer(CatchPanicLayer::custom(panicked))
        .option_layer(hosts.map(|hosts| from_fn_with_state(hosts, refuse_other_hosts)));
    pages.routes.layer(layers)
}

/// The additions alone, for a listener that only operators reach.
pub(crate) fn operations(app: App, hosts: Option<Hosts>) -> Router {
    let finish = from_fn_with_state(host(&app, None), finish);
    let others = Router::new().fallback(unmatched::invalid_endpoint);
    own_calls(app, hosts, None).merge(others.layer(finish))
}

/// The calls that only a server of its own has.
fn own_described() -> OpenApiRouter<App> {
    health::described().routes(routes!(metrics::metrics))
}

fn own_calls(app: App, hosts: Option<Hosts>, authorizer: Option<Arc<dyn Authorizer>>) -> Router {
    let (calls, description) = own_described().split_for_parts();
    let access = authorizer.map(|asked| Access::new(asked, &openapi::calls(&description)));
    let layers = ServiceBuilder::new()
        .layer(from_fn_with_state(host(&app, None), finish))
        .layer(CatchPanicLayer::custom(panicked))
        .option_layer(hosts.map(|hosts| from_fn_with_state(hosts, refuse_other_hosts)))
        .option_layer(access.map(|access| from_fn_with_state(access, authorize)));
    let calls = calls.method_not_allowed_fallback(unmatched::method_not_allowed);
    calls.with_state(app).layer(layers)
}

/// A router that answers every call with the same error.
pub(crate) fn failing(error: &StorageError) -> Router {
    let answer = ApiError::from(error.clone());
    let host = Host {
        options: Arc::default(),
        store: None,
        refused: Arc::default(),
        answers: Answers::default(),
        gate: None,
    };
    Router::new()
        .fallback(async || answer)
        .layer(from_fn_with_state(host, finish))
}

/// The host of calls with the limits on answers, or without.
fn host(app: &App, gate: Option<Gate>) -> Host {
    Host {
        options: Arc::clone(&app.options),
        store: Some(app.store.clone()),
        refused: Arc::default(),
        answers: Answers::default(),
        gate,
    }
}

/// The calls with their layers. `is_open`: browsers reach the server without a proxy that
/// authenticates them.
///
/// The order matters: `finish` comes first, because it begins the request's context, which all
/// others extract, and finishes the answers of all others.
fn layered(app: App, is_open: bool) -> Router {
    let gate = app.gate.clone();
    let options = Arc::clone(&app.options);
    let host = host(&app, Some(gate.clone()));
    let (described, description) = described().split_for_parts();
    let authorizer = options.authorizer.clone();
    let access =
        authorizer.map(|authorizer| Access::new(authorizer, &openapi::calls(&description)));
    let hosts = options.hosts.clone().filter(|_| is_open);
    described
        .route(
            "/streams/",
            get(unmatched::missing_stream_id).post(unmatched::missing_stream_id),
        )
        .route("/streams//changesets", get(unmatched::missing_stream_id))
        .route("/streams//events", get(unmatched::missing_stream_id))
        .fallback(unmatched::invalid_endpoint)
        .method_not_allowed_fallback(unmatched::method_not_allowed)
        .with_state(app)
        // One layer of several, as a router boxes and clones each of its layers for each request.
        .layer(
            ServiceBuilder::new()
                .layer(from_fn_with_state(host, finish))
                .layer(CatchPanicLayer::custom(panicked))
                .option_layer(hosts.map(|hosts| from_fn_with_state(hosts, refuse_other_hosts)))
                .option_layer(is_open.then(|| from_fn(refuse_foreign_pages)))
                .option_layer(access.map(|access| from_fn_with_state(access, authorize)))
                .layer(from_fn_with_state(gate, admit)),
        )
}
