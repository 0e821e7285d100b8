//! What keys and metrics cost: `ees serve` with a file of keys, whose requests are counted and measured,
//! against a server of the same contract without both. `docs/performance.md` has the figures.
//!
//! `cargo build --release`, then `cargo run --release -p benches --bin exposed`.
// A benchmark panics if it cannot continue.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use benches::load::Streams;
use benches::process::Process;
use benches::report::{Rounds, compare, rate};
use benches::{client, server};
use clap::Parser;
use hyper::Method;

/// The arguments.
#[derive(Debug, Parser)]
struct Args {
    /// The server with keys and metrics
    #[arg(long, default_value = "target/release/ees")]
    server: PathBuf,
    /// The number of rounds; in each, the two sides run in turn
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// The duration of each side in a round, in milliseconds
    #[arg(long, default_value_t = 1000)]
    millis: u64,
    /// Serves this file without keys and metrics: the other side, which this program starts itself
    #[arg(long, hide = true)]
    plain: Option<PathBuf>,
}

/// The number of clients.
const CLIENTS: usize = 16;

/// What a read asks for: a page of the kind that a reader of one stream gets.
const READ: &str = "/streams/order-1/changesets?limit=10";

#[tokio::main]
async fn main() {
    let args = Args::parse();
    if let Some(file) = &args.plain {
        println!("http://{}", server::start_sqlite(file).await);
        std::future::pending::<()>().await;
    }
    let folder = tempfile::tempdir().unwrap();
    let (exposed, secret) = exposed(&args.server, folder.path());
    let plain = plain(folder.path());
    let rounds = Rounds {
        count: args.rounds.max(1),
        length: Duration::from_millis(args.millis.max(1)),
    };
    let mut with_key = server::clients(exposed.address.parse().unwrap(), CLIENTS).await;
    for client in &mut with_key {
        client.authorize(&secret);
    }
    let mut without = server::clients(plain.address.parse().unwrap(), CLIENTS).await;
    let [ours, theirs] = [(); 2].map(|()| Arc::new(Streams::of_length(0)));
    compare(
        &format!("appends with a key and metrics, {CLIENTS} clients, against without"),
        rounds,
        async |length| client::append(&mut with_key, &ours, length).await,
        async |length| client::append(&mut without, &theirs, length).await,
    )
    .await;
    let ([with_key, ..], [without, ..]) = (&mut with_key[..], &mut without[..]) else {
        return;
    };
    compare(
        "reads of 10 changesets of a stream with a key and metrics, 1 client, against without",
        rounds,
        async |length| read(with_key, length).await,
        async |length| read(without, length).await,
    )
    .await;
}

/// `ees serve` with a file of keys, and the secret of the only key.
fn exposed(binary: &Path, folder: &Path) -> (Process, String) {
    let keys = folder.join("keys.toml");
    let keys = keys.to_str().unwrap();
    let mut add = Command::new(binary);
    add.args(["keys", "add", "--file", keys, "--name", "benchmark"]);
    add.args(["--right", "read", "--right", "append"]);
    let added = add.output().unwrap();
    assert!(added.status.success(), "{added:?}");
    let secret = String::from_utf8(added.stdout).unwrap();
    let storage = format!("sqlite:{}", folder.join("exposed.db").display());
    let server = Process::run(
        Command::new(binary)
            .args(["--storage", &storage, "--listen", "127.0.0.1:0"])
            .args(["--keys", keys]),
    );
    (server, secret.trim().to_owned())
}

/// The same contract without keys and metrics, in a process of its own as well.
fn plain(folder: &Path) -> Process {
    let mut command = Command::new(env::current_exe().unwrap());
    Process::run(command.arg("--plain").arg(folder.join("plain.db")))
}

async fn read(client: &mut client::Client, length: Duration) -> f64 {
    rate(length, async || {
        client.call(Method::GET, READ, String::new()).await;
        1
    })
    .await
}
