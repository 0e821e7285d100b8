//! The paths of the console.

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};

use crate::app::App;
use crate::entry::{enter, protect};
use crate::files::files;
use crate::pages::{act, consumer, consumers, evidence, log, login, overview, stream, tail};

pub(crate) fn routes(app: App) -> Router {
    let inside = Router::new()
        .route("/console", get(overview::page))
        .route("/console/", get(overview::page))
        .route("/console/log", get(log::page))
        .route("/console/tail", get(tail::tail))
        .route("/console/stream", get(stream::page))
        .route("/console/consumers", get(consumers::page))
        .route("/console/consumer", get(consumer::page))
        .route("/console/consumer/retry", post(act::retry))
        .route("/console/consumer/skip", post(act::skip))
        .route("/console/consumer/reset", post(act::reset))
        .route("/console/evidence", get(evidence::page))
        .route("/console/logout", post(login::logout))
        .layer(from_fn_with_state(app.clone(), enter));
    let public = Router::new()
        .route("/console/login", get(login::page).post(login::login))
        .layer(from_fn_with_state(app.clone(), login::outside))
        .merge(files());
    inside.merge(public).layer(from_fn(protect)).with_state(app)
}
