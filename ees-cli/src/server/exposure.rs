//! Who can reach the server, and what that needs.

use std::net::SocketAddr;

use ees_http::Hosts;

use crate::Failure;
use crate::args::ServeArgs;

/// Refuses an address that other machines can reach, unless clients need keys and use TLS. Two flags
/// allow the two risks.
pub(super) fn check(args: &ServeArgs) -> Result<(), Failure> {
    check_address("--listen", args.listen, args)
}

fn check_address(flag: &str, address: SocketAddr, args: &ServeArgs) -> Result<(), Failure> {
    if address.ip().is_loopback() {
        return Ok(());
    }
    let mut missing = Vec::new();
    if args.keys.is_none() && !args.allow_unauthenticated_remote {
        missing.push(
            "without keys, every client that reaches the server can read and append everything: \
             give --keys, or add --allow-unauthenticated-remote",
        );
    }
    if args.tls_cert.is_none() && !args.allow_plain_remote {
        missing.push(
            "without TLS, keys and data can be read on the network: give --tls-cert and --tls-key, \
             or put a proxy with TLS in front of it and add --allow-plain-remote",
        );
    }
    if missing.is_empty() {
        return Ok(());
    }
    let missing = missing.join("; ");
    Err(Failure::Usage(format!(
        "`{flag} {address}` can be reached from other machines; {missing}"
    )))
}

/// The hosts that a server without keys serves. With keys it serves every host: a web page of
/// another site has no key.
pub(super) fn hosts(args: &ServeArgs) -> Option<Hosts> {
    if args.keys.is_some() {
        return None;
    }
    let names = args.allowed_host.iter();
    let hosts = names.fold(Hosts::local(), |hosts, name| hosts.with(name));
    Some(match args.listen.ip().is_loopback() {
        true => hosts,
        false => hosts.with_any_address(),
    })
}
