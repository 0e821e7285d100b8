//! Caddy, with the configuration of the guide.

use std::process::Command;

use super::{HOST, Place, Site, everything_passes, program, replaced, shown};

/// What a test switches off: the address for administrators, and a port for redirections.
const GLOBAL: &str = "{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n";

/// The hashes of the users' passwords, which take less time to check than those that Caddy makes.
const READER_HASH: &str = "$2b$04$abcdefghijklmnopqrstuuXe7nFyv4qMyzf2RFbeW4qRX.q.RMBHy";
const WRITER_HASH: &str = "$2b$04$abcdefghijklmnopqrstuupFiPZvSkjMlFYJT6ldtXToOYodUW3E.";

/// Caddy before a server.
fn start() -> Site {
    Site::start(|place, address| {
        let config = placed(&shown("caddyfile"), place, address);
        place.write("Caddyfile", &format!("{GLOBAL}{config}"));
        let mut caddy = Command::new(program("caddy"));
        for name in ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
            caddy.env(name, place.path("home"));
        }
        caddy.args(["run", "--adapter", "caddyfile", "--config"]);
        caddy.arg(place.path("Caddyfile"));
        caddy.env("EES_READER_HASH", READER_HASH);
        caddy.env("EES_WRITER_HASH", WRITER_HASH);
        caddy
    })
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
