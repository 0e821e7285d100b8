//! `/docs`: the OpenAPI description as a page, by Swagger UI. Everything that the page needs is in the
//! program, and its policy lets a browser ask no other host.

use axum::Router;
use axum::body::Bytes;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};

use super::unmatched;

/// What the page may do: run and show the program's own files, and call its own server.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

/// A file of the page.
#[derive(Clone, Copy)]
struct File {
    path: &'static str,
    media_type: &'static str,
    /// Whether the bytes are compressed. They are sent as they are: every browser reads gzip.
    is_gzip: bool,
    bytes: &'static [u8],
}

const FILES: [File; 5] = [
    File {
        path: "/docs",
        media_type: "text/html; charset=utf-8",
        is_gzip: false,
        bytes: include_bytes!("../../assets/docs.html"),
    },
    File {
        path: "/docs/page.js",
        media_type: "text/javascript; charset=utf-8",
        is_gzip: false,
        bytes: include_bytes!("../../assets/docs.js"),
    },
    File {
        path: "/docs/page.css",
        media_type: "text/css; charset=utf-8",
        is_gzip: false,
        bytes: include_bytes!("../../assets/docs.css"),
    },
    File {
        path: "/docs/swagger-ui-bundle.js",
        media_type: "text/javascript; charset=utf-8",
        is_gzip: true,
        bytes: include_bytes!("../../assets/swagger-ui/swagger-ui-bundle.js.gz"),
    },
    File {
        path: "/docs/swagger-ui.css",
        media_type: "text/css; charset=utf-8",
        is_gzip: true,
        bytes: include_bytes!("../../assets/swagger-ui/swagger-ui.css.gz"),
    },
];

/// The page and its files.
pub(super) fn routes() -> Router {
    let routes = FILES.into_iter().fold(Router::new(), |router, file| {
        router.route(file.path, served(file))
    });
    routes.method_not_allowed_fallback(unmatched::method_not_allowed)
}

fn served(file: File) -> MethodRouter {
    get(async move || answer(file))
}

fn answer(file: File) -> Response {
    let mut head = HeaderMap::new();
    let mut set = |name: HeaderName, value| {
        head.insert(name, HeaderValue::from_static(value));
    };
    set(CONTENT_TYPE, file.media_type);
    set(CONTENT_SECURITY_POLICY, POLICY);
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(REFERRER_POLICY, "no-referrer");
    // Another version of the program may have other files under the same paths.
    set(CACHE_CONTROL, "no-cache");
    if file.is_gzip {
        set(CONTENT_ENCODING, "gzip");
    }
    (head, Bytes::from_static(file.bytes)).into_response()
}
