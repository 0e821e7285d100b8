//! Refuses writes from web pages of other sites. A browser lets a page send requests to any server
//! that the browser reaches, also to one on its own machine.

use axum::extract::Request;
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::codes;
use crate::error::ApiError;
use crate::request::refused;

/// The header in which a browser states the origin of a request. A web page cannot forge it.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses writes that a browser sends for a web page of another site. Reads pass, because the
/// browser hides their answers from such a page. Clients that are not browsers pass.
pub(crate) async fn refuse_foreign_pages(request: Request, next: Next) -> Response {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    match foreign(&request) {
        Some(header) if !is_read => {
            let error = forbidden(&header, &request);
            refused(error, request).await.into_response()
        }
        _ => next.run(request).await,
    }
}

/// The header that names another site. Behind a proxy, `Host` may differ from the page's host, so
/// it counts only if the browser does not send `Sec-Fetch-Site`.
fn foreign(request: &Request) -> Option<HeaderName> {
    let header = |name| request.headers().get(name).map(HeaderValue::as_bytes);
    if let Some(site) = header(SEC_FETCH_SITE) {
        let is_own = matches!(site, b"same-origin" | b"none");
        return (!is_own).then_some(SEC_FETCH_SITE);
    }
    let origin = header(ORIGIN)?;
    let host = header(HOST).unwrap_or_default();
    let schemes: [&[u8]; 2] = [b"http://", b"https://"];
    let hosts = schemes
        .iter()
        .filter_map(|scheme| origin.strip_prefix(*scheme));
    let is_own = hosts.into_iter().any(|origin| origin == host);
    (!is_own).then_some(ORIGIN)
}

fn forbidden(header: &HeaderName, request: &Request) -> ApiError {
    let value = request.headers().get(header);
    let value = value
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let message = format!(
        "`{header}: {value}`: web pages of other sites may not write to this server; write from \
         a program or from a page at this server's address (a proxy has to forward `Host`)"
    );
    ApiError::new(StatusCode::FORBIDDEN, codes::FORBIDDEN, message)
}
