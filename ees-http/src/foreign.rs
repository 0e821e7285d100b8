//! Web pages of other sites: a browser lets them send what they like to any server that it
//! reaches, one on its own machine included.

use axum::extract::Request;
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::ApiError;
use crate::routes::refused;

/// What a browser says of the page that a request comes from; no page can forge it.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses what a browser sends for another site's page. Reads pass, as a browser keeps their
/// answers from such a page; so does whatever is no browser.
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

/// The header that tells of another site. Behind a proxy `Host` may be another than the page's, so
/// it counts only where the browser does not say more.
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
        "`{header}: {value}`: a web page of another site may not write here; write from a \
         program, or from a page at this server's address (a proxy has to pass `Host` on)"
    );
    ApiError::new(StatusCode::FORBIDDEN, "FORBIDDEN", message)
}
