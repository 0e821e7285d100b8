//! A server in the test's own process.

use clap::Parser;
use ees_cli::args::{Cli, ServeArgs};
use ees_cli::server::Server;

/// The flags of `ees serve` for a storage, on a free port, with time for a machine that stands still.
pub(crate) fn serve_args(storage: &str) -> ServeArgs {
    let listen = ["--listen", "127.0.0.1:0", "--request-timeout", "3600"];
    Cli::parse_from([&["ees", "--storage", storage], &listen[..]].concat()).serve
}

/// Starts a server over a storage.
pub(crate) async fn start(storage: &str) -> Server {
    let started = Server::start(&serve_args(storage)).await;
    started.unwrap_or_else(|failure| panic!("a server over {storage}: {failure}"))
}

/// Where a server listens.
pub(crate) fn url(server: &Server) -> String {
    format!("http://{}", server.address())
}
