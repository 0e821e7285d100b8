//! Refuses requests for hosts that the server does not serve.
//!
//! A web page can have the name of its own host pointed at this machine after it was loaded (DNS
//! rebinding). Its requests are then of the same site for the browser, and only `Host` tells them
//! apart.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::http::{StatusCode, Version};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::clients::Client;
use crate::codes;
use crate::error::ApiError;
use crate::request::refused;

/// The hosts that a server serves: `localhost`, loopback addresses, and those that are added. The
/// port does not matter.
#[derive(Debug, Clone, Default)]
pub struct Hosts {
    names: Vec<String>,
    any_address: bool,
}

impl Hosts {
    /// `localhost` and loopback addresses.
    pub fn local() -> Self {
        Self::default()
    }

    /// Adds a host by its name or address, without a port.
    #[must_use]
    pub fn with(mut self, name: &str) -> Self {
        self.names.push(plain(name));
        self
    }

    /// Adds every address, but no name: nobody can point an address at another machine.
    #[must_use]
    pub fn with_any_address(self) -> Self {
        Self {
            any_address: true,
            ..self
        }
    }

    fn serve(&self, host: &str) -> bool {
        let host = plain(host);
        let is_served = |address: IpAddr| self.any_address || address.is_loopback();
        host == "localhost" || host.parse().is_ok_and(is_served) || self.names.contains(&host)
    }
}

/// A host as it is compared: in lower case, an IPv6 address without its brackets.
fn plain(host: &str) -> String {
    let address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    address.unwrap_or(host).to_ascii_lowercase()
}

/// Refuses a request for a host that is not served. A request of HTTP/1.0 that names none passes:
/// browsers always name one.
pub(crate) async fn refuse_other_hosts(
    State(hosts): State<Hosts>,
    request: Request,
    next: Next,
) -> Response {
    let Some(named) = named(&request) else {
        return next.run(request).await;
    };
    let host = named.parse::<Authority>();
    let host = host.map_or_else(|_| named.clone(), |host| host.host().to_owned());
    if hosts.serve(&host) {
        return next.run(request).await;
    }
    let message = format!(
        "this server does not serve the host `{host}`; it serves `localhost`, loopback addresses \
         and what `--allowed-host` names"
    );
    let status = StatusCode::MISDIRECTED_REQUEST;
    let error = ApiError::new(status, codes::MISDIRECTED_REQUEST, message);
    refused(error, request).await.into_response()
}

/// Refuses a request that a server of this crate received and that does not name one host, as HTTP/1.1
/// demands (RFC 9112, section 3.2).
pub(crate) fn check_host(request: &Request) -> Result<(), ApiError> {
    let is_received = request.extensions().get::<Client>().is_some();
    if !is_received || request.version() != Version::HTTP_11 {
        return Ok(());
    }
    let message = match request.headers().get_all(HOST).iter().count() {
        1 => return Ok(()),
        0 => "the request has no `Host`",
        _ => "the request has more than one `Host`",
    };
    Err(ApiError::bad_request(
        codes::INVALID_HOST,
        message.to_owned(),
    ))
}

/// The host that a request names, with its port.
fn named(request: &Request) -> Option<String> {
    // A request in absolute form, and every request of HTTP/2, names it in its target.
    if let Some(authority) = request.uri().authority() {
        return Some(authority.to_string());
    }
    let header = request.headers().get(HOST)?;
    Some(String::from_utf8_lossy(header.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_hosts_are_served() {
        let local = Hosts::local();
        for own in ["localhost", "LocalHost", "127.0.0.1", "127.1.2.3", "[::1]"] {
            assert!(local.serve(own), "{own}");
        }
        for other in ["", "ees", "localhost.evil.example", "10.0.0.5", "[::2]"] {
            assert!(!local.serve(other), "{other}");
        }
        assert!(local.clone().with("Ees").serve("eeS"));
        let any = local.with_any_address();
        assert!(any.serve("10.0.0.5") && any.serve("[fd00::1]") && !any.serve("ees"));
    }
}
