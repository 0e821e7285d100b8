//! Pages for browsers beside the contract.

use axum::Router;
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;

/// Pages for browsers that a self-hosted router has beside the contract, such as a console. The
/// router applies [`Options::hosts`](crate::Options::hosts) to them, and the limits on answers. It does
/// not ask [`Options::authorizer`](crate::Options::authorizer): the pages do that themselves.
#[derive(Debug, Clone)]
pub struct BrowserPages {
    /// The pages, all below one path that the contract does not have.
    pub routes: Router,
    /// The path of the page to which `/` leads a browser.
    pub entry: &'static str,
}

/// Whether a request wants a page for people: a browser that opens an address says so.
pub(crate) fn wants_page(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter();
    let mut accepted = accepted.filter_map(|accepted| accepted.to_str().ok());
    accepted.any(|accepted| accepted.to_ascii_lowercase().contains("text/html"))
}
