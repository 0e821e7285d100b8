//! Caddy, with the configuration of the guide.

use std::process::Command;

use super::{HOST, Place, READER, Site, WRITER, everything_passes, replaced, shown};
use crate::process::ended;

/// What a test switches off: the address for administrators, and a port for redirections.
const GLOBAL: &str = "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n";

/// Caddy before a server.
fn start() -> Site {
    Site::start(|place, address| {
        let config = placed(&shown("caddyfile"), place, address);
        place.write("Caddyfile", &format!("{GLOBAL}{config}"));
        let mut caddy = caddy(place);
        caddy.args(["run", "--adapter", "caddyfile", "--config"]);
        caddy.arg(place.path("Caddyfile"));
        caddy.env("EES_READER_HASH", hash(place, READER));
        caddy.env("EES_WRITER_HASH", hash(place, WRITER));
        caddy
    })
}

/// Caddy with its files in one folder.
fn caddy(place: &Place) -> Command {
    let mut caddy = Command::new("caddy");
    for name in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
        caddy.env(name, place.path("home"));
    }
    caddy
}

/// The hash of a user's password.
fn hash(place: &Place, user: &str) -> String {
    let (_, password) = user.split_once(':').expect("a password");
    let mut command = caddy(place);
    command.args(["hash-password", "--plaintext", password]);
    let (code, hash, errors) = ended(command);
    assert_eq!(code, Some(0), "{errors}");
    hash.trim().to_owned()
}

/// The configuration with the addresses and the certificate of a test.
fn placed(config: &str, place: &Place, address: &str) -> String {
    let site = format!("{HOST} {{\n");
    let (socket, tls) = (place.text("socket"), place.text("tls"));
    let own = format!("{site}\tbind unix/{socket}\n\ttls {tls}.pem {tls}.key\n");
    let config = replaced(config, &site, &own);
    replaced(&config, "127.0.0.1:8080", address)
}

#[test]
fn everything_passes_as_the_guide_shows_it() {
    everything_passes(&mut start());
}
