//! The scheme of a storage's URL.

/// Schemes mean the same in any case.
pub(super) fn lower_scheme(mut url: String) -> String {
    let scheme = url.find(':').unwrap_or(0);
    url[..scheme].make_ascii_lowercase();
    url
}
