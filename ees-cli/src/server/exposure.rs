//! Who can reach the server, and what that needs.

use std::net::SocketAddr;

use ees_http::Hosts;

use crate::Failure;
use crate::args::ServeArgs;

/// Refuses an address that other machines can reach, unless clients need keys and use TLS. Two flags
/// allow the two risks.
pub(super) fn check(args: &ServeArgs) -> Result<(), Failure> {
    let (has_keys, has_tls) = (args.keys.is_some(), args.tls_cert.is_some());
    check_address("--listen", args.listen, args, has_keys, has_tls)?;
    match args.metrics_listen {
        Some(address) => check_address("--metrics-listen", address, args, false, false),
        None => Ok(()),
    }
}

fn check_address(
    flag: &str,
    address: SocketAddr,
    args: &ServeArgs,
    has_keys: bool,
    has_tls: bool,
) -> Result<(), Failure> {
    if address.ip().is_loopback() {
        return Ok(());
    }
    let mut missing = Vec::new();
    if !has_keys && !args.allow_unauthenticated_remote {
        missing.push(
            "without keys, every client that reaches it can do everything that it offers: give \
             --keys (for --listen), or add --allow-unauthenticated-remote",
        );
    }
    if !has_tls && !args.allow_plain_remote {
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
    args.keys.is_none().then(|| listed(args))
}

/// The hosts that a listener without keys serves.
pub(super) fn listed(args: &ServeArgs) -> Hosts {
    let names = args.allowed_host.iter();
    let hosts = names.fold(Hosts::local(), |hosts, name| hosts.with(name));
    let mut addresses = [Some(args.listen), args.metrics_listen]
        .into_iter()
        .flatten();
    if addresses.all(|address| address.ip().is_loopback()) {
        hosts
    } else {
        hosts.with_any_address()
    }
}
