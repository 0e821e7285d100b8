//! Whether a request was sent by a page of this server.

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Uri};

/// The host that a request names, with its port.
pub(crate) fn host<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<&'a str> {
    // Every request of HTTP/2 names it in its target.
    let of_target = uri.authority().map(axum::http::uri::Authority::as_str);
    of_target.or_else(|| headers.get(HOST)?.to_str().ok())
}

/// The scheme of the page that sent a request, if it is a page of this server. A browser states the
/// origin of every form that it sends, and no page can change it.
pub(crate) fn own_scheme(headers: &HeaderMap, uri: &Uri) -> Option<&'static str> {
    let mut origins = headers.get_all(ORIGIN).iter();
    let (Some(origin), None) = (origins.next(), origins.next()) else {
        return None;
    };
    let (scheme, from) = origin.to_str().ok()?.split_once("://")?;
    let scheme = ["http", "https"]
        .into_iter()
        .find(|known| *known == scheme)?;
    let to = host(headers, uri)?;
    // A browser leaves the port of the scheme out; a proxy may write it.
    let plain = |host: &str| {
        let port = if scheme == "https" { ":443" } else { ":80" };
        let host = host.strip_suffix(port).unwrap_or(host);
        host.to_ascii_lowercase()
    };
    (plain(from) == plain(to)).then_some(scheme)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_the_origin_of_the_requested_host_is_own() {
        let uri = Uri::from_static("/console/login");
        let check = |host: &str, origins: &[&'static str]| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_str(host).unwrap());
            for origin in origins {
                headers.append(ORIGIN, HeaderValue::from_static(origin));
            }
            own_scheme(&headers, &uri)
        };
        let own = "http://localhost:8080";
        assert_eq!(check("localhost:8080", &[own]), Some("http"));
        assert_eq!(check("LOCALHOST:8080", &[own]), Some("http"));
        assert_eq!(
            check("ees.example:443", &["https://ees.example"]),
            Some("https")
        );
        for (host, origins) in [
            ("localhost:8080", &[][..]),
            ("localhost:8080", &["null"]),
            ("localhost:8080", &["http://localhost:8081"]),
            ("localhost:8080", &["http://evil.example"]),
            ("localhost:8080", &["ftp://localhost:8080"]),
            ("localhost:8080", &["http://localhost:8080.evil.example"]),
            ("localhost:8080", &[own, own]),
        ] {
            assert_eq!(check(host, origins), None, "{host} {origins:?}");
        }
    }
}
