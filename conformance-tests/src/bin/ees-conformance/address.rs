//! Where the deployment is, and how it is reached.

use ees_conformance::subject::Access;
use hyper::Uri;

use crate::args::Args;

/// Where a deployment is, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Url {
    text: String,
    is_tls: bool,
    has_path: bool,
}

impl Url {
    /// Takes `http://HOST[:PORT][/PATH]`, or the same with https.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let uri: Uri = text.parse().map_err(|error| format!("no URL: {error}"))?;
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err("it begins with http:// or https://".to_owned()),
        };
        let authority = uri.authority().ok_or("it has no host")?;
        if uri.host().is_none_or(str::is_empty) || authority.as_str().contains('@') {
            return Err("a host and a port, without a user: http://HOST[:PORT]".to_owned());
        }
        if authority.as_str() != authority.host() && authority.port_u16().is_none() {
            return Err(format!("`{authority}` has a port that is none"));
        }
        if uri.query().is_some() {
            return Err("a path is all that may follow: http://HOST[:PORT][/PATH]".to_owned());
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

/// How the arguments say that the deployment is reached.
pub(crate) fn access(url: &Url, args: &Args) -> Result<Access, String> {
    let access = over_tls(url)?;
    if args.aws.sigv4 {
        signed(access, url, args)
    } else {
        Ok(access)
    }
}

/// Whether bytes written by hand reach the server itself: not through TLS or a gateway.
pub(crate) fn is_direct(url: &Url, args: &Args) -> bool {
    !url.is_tls && !url.has_path && !args.aws.sigv4
}

#[cfg(feature = "https")]
fn over_tls(url: &Url) -> Result<Access, String> {
    let access = Access::default();
    if url.is_tls {
        access.over_tls()
    } else {
        Ok(access)
    }
}

#[cfg(not(feature = "https"))]
fn over_tls(url: &Url) -> Result<Access, String> {
    if url.is_tls {
        return Err("this build speaks no TLS: build it with --features cli,https".to_owned());
    }
    Ok(Access::default())
}

#[cfg(feature = "sigv4")]
fn signed(access: Access, url: &Url, args: &Args) -> Result<Access, String> {
    use ees_conformance::subject::Signer;

    let (Some(id), Some(secret)) = (&args.aws.access_key_id, &args.aws.secret_access_key) else {
        return Err(
            "--sigv4 signs with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, which are not both \
             set; `eval \"$(aws configure export-credentials --format env)\"` sets them"
                .to_owned(),
        );
    };
    let region = args.aws.region.clone().or_else(|| region_in(url));
    let region = region.ok_or("--sigv4 needs a region: --aws-region or AWS_REGION")?;
    let token = args.aws.session_token.clone();
    Ok(access.signed(Signer::new(id, secret, token, region)))
}

#[cfg(not(feature = "sigv4"))]
fn signed(_access: Access, _url: &Url, _args: &Args) -> Result<Access, String> {
    Err("this build signs no requests: build it with --features cli,https,sigv4".to_owned())
}

/// The region in `https://ID.execute-api.REGION.amazonaws.com`.
#[cfg(feature = "sigv4")]
fn region_in(url: &Url) -> Option<String> {
    let (_, rest) = url.text.split_once(".execute-api.")?;
    let (region, _) = rest.split_once(".amazonaws.com")?;
    Some(region.to_owned())
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

    #[cfg(feature = "sigv4")]
    #[test]
    fn a_gateways_name_tells_its_region() {
        let url = Url::parse("https://abc.execute-api.eu-west-1.amazonaws.com/Prod");
        let region = super::region_in(&url.unwrap());
        assert_eq!(region.as_deref(), Some("eu-west-1"));
    }
}
