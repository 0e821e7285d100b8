//! The address of the deployment.

use hyper::Uri;

/// The URL of a deployment, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Url {
    text: String,
    pub(crate) is_tls: bool,
    pub(crate) has_path: bool,
}

impl Url {
    /// Parses `http://HOST[:PORT][/PATH]`, or the same with https.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let uri: Uri = text.parse().map_err(|error| format!("no URL: {error}"))?;
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err("the URL must begin with http:// or https://".to_owned()),
        };
        let authority = uri.authority().ok_or("the URL has no host")?;
        if uri.host().is_none_or(str::is_empty) || authority.as_str().contains('@') {
            return Err("the URL must not have a user: expected http://HOST[:PORT]".to_owned());
        }
        if authority.as_str() != authority.host() && authority.port_u16().is_none() {
            return Err(format!("`{authority}` has an invalid port"));
        }
        if uri.query().is_some() {
            return Err("only a path may follow: expected http://HOST[:PORT][/PATH]".to_owned());
        }
        let path = uri.path().trim_end_matches('/');
        let port = authority
            .port_u16()
            .unwrap_or(if is_tls { 443 } else { 80 });
        let scheme = if is_tls { "https" } else { "http" };
        Ok(Self {
            text: format!("{scheme}://{}:{port}{path}", authority.host()),
            is_tls,
            has_path: !path.is_empty(),
        })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::Url;

    #[test]
    fn urls_are_of_a_host_and_what_may_follow() {
        for (text, url) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
            ("http://store.internal", "http://store.internal:80"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("http://[::1]", "http://[::1]:80"),
            ("https://host", "https://host:443"),
            ("https://host/Prod/", "https://host:443/Prod"),
        ] {
            let parsed = Url::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(parsed.as_str(), url, "{text}");
        }
    }

    #[test]
    fn others_are_refused() {
        for text in [
            "",
            "localhost:8080",
            "ftp://host",
            "http://",
            "http://:80",
            "http://host:http",
            "http://host:70000",
            "http://host/?stage=prod",
            "http://me@host",
            "http://ho st",
            "http://::1:8080",
        ] {
            assert!(Url::parse(text).is_err(), "{text}");
        }
    }
}
