//! The scheme of a storage's URL.

use clap::builder::{StringValueParser, TypedValueParser};

/// Schemes mean the same in any case.
fn lower_scheme(mut url: String) -> String {
    let scheme = url.find(':').unwrap_or(0);
    url[..scheme].make_ascii_lowercase();
    url
}

/// Reads the URL of a storage.
pub(super) fn storage_url() -> impl TypedValueParser<Value = String> {
    StringValueParser::new().map(lower_scheme)
}
