//! The files of the pages: a style, a script, and an icon. They are public.

use axum::Router;
use axum::body::Bytes;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::routing::get;

use crate::app::App;

const FILES: [(&str, &str, &[u8]); 3] = [
    (
        "/console/console.css",
        "text/css; charset=utf-8",
        include_bytes!("../assets/console.css"),
    ),
    (
        "/console/console.js",
        "text/javascript; charset=utf-8",
        include_bytes!("../assets/console.js"),
    ),
    (
        "/console/icon.svg",
        "image/svg+xml",
        include_bytes!("../assets/icon.svg"),
    ),
];

pub(crate) fn files() -> Router<App> {
    FILES
        .into_iter()
        .fold(Router::new(), |router, (path, media_type, bytes)| {
            let file = move || async move {
                // Another version of the program may have other files under the same paths.
                let headers = [(CONTENT_TYPE, media_type), (CACHE_CONTROL, "no-cache")];
                (headers, Bytes::from_static(bytes))
            };
            router.route(path, get(file))
        })
}
