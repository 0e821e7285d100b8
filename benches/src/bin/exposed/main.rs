//! What keys, metrics and the verifiable log cost: `ees serve` with a file of keys, whose requests are counted
//! and measured, against the same program without both; and a server that seals against one that does not. `docs/performance.md` has the figures.
//!
//! `cargo build --release`, then `cargo run --release -p benches --bin exposed`.
// A benchmark panics if it cannot continue.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod has;
mod instructions;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use benches::load::Streams;
use benches::process::Process;
use benches::report::{Rounds, compare, rate};
use benches::{client, server};
use clap::{Parser, ValueEnum};
use has::{Has, READ, keys};
use hyper::Method;

/// The arguments.
#[derive(Debug, Parser)]
struct Args {
    /// The server
    #[arg(long, default_value = "target/release/ees")]
    server: PathBuf,
    /// The number of rounds; in each, the two sides run in turn
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// The duration of each side in a round, in milliseconds
    #[arg(long, default_value_t = 1000)]
    millis: u64,
    /// Gives both sides keys, or metrics, so that only the other is compared
    #[arg(long, value_enum)]
    both: Option<Both>,
    /// Counts the instructions of a request with valgrind instead
    #[arg(long)]
    instructions: bool,
}

/// What both sides have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Both {
    Keys,
    Metrics,
}

/// The number of clients.
const CLIENTS: usize = 16;

#[tokio::main]
async fn main() {
    let args = Args::parse();
    let folder = tempfile::tempdir().unwrap();
    let secret = add_key(&args.server, folder.path());
    if args.instructions {
        return instructions::run(&args.server, folder.path(), &secret).await;
    }
    let serve = |name, has| serve(&args.server, folder.path(), name, has);
    let plain = Has {
        keys: false,
        metrics: false,
        log: false,
    };
    let rounds = Rounds {
        count: args.rounds.max(1),
        length: Duration::from_millis(args.millis.max(1)),
    };
    compare_sealing(
        &serve("sealing", Has { log: true, ..plain }),
        &serve("unsealed", plain),
        rounds,
    )
    .await;
    let exposed = serve(
        "exposed",
        Has {
            keys: true,
            metrics: true,
            ..plain
        },
    );
    let plain = serve(
        "plain",
        Has {
            keys: args.both == Some(Both::Keys),
            metrics: args.both == Some(Both::Metrics),
            ..plain
        },
    );
    let mut with_key = server::clients(exposed.address.parse().unwrap(), CLIENTS).await;
    for client in &mut with_key {
        client.authorize(&secret);
    }
    let mut without = server::clients(plain.address.parse().unwrap(), CLIENTS).await;
    for client in &mut without {
        // Without keys it is ignored.
        client.authorize(&secret);
    }
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

async fn compare_sealing(sealing: &Process, unsealed: &Process, rounds: Rounds) {
    let mut with_log = server::clients(sealing.address.parse().unwrap(), CLIENTS).await;
    let mut without = server::clients(unsealed.address.parse().unwrap(), CLIENTS).await;
    let [ours, theirs] = [(); 2].map(|()| Arc::new(Streams::of_length(0)));
    compare(
        &format!("appends that are sealed, {CLIENTS} clients, against without a log"),
        rounds,
        async |length| client::append(&mut with_log, &ours, length).await,
        async |length| client::append(&mut without, &theirs, length).await,
    )
    .await;
}

/// Makes the only key, and tells its secret.
fn add_key(binary: &Path, folder: &Path) -> String {
    let mut add = Command::new(binary);
    add.args([
        "keys",
        "add",
        "--file",
        &keys(folder),
        "--name",
        "benchmark",
    ]);
    add.args(["--right", "read", "--right", "append"]);
    let added = add.output().unwrap();
    assert!(added.status.success(), "{added:?}");
    let secret = String::from_utf8(added.stdout).unwrap();
    secret.trim().to_owned()
}

fn serve(binary: &Path, folder: &Path, name: &str, has: Has) -> Process {
    let file = folder.join(format!("{name}.db"));
    let mut command = Command::new(binary);
    command.args(["--storage", &format!("sqlite:{}", file.display())]);
    command.args(["--listen", "127.0.0.1:0"]);
    if has.keys {
        command.args(["--keys", &keys(folder)]);
    }
    if !has.metrics {
        command.arg("--without-metrics");
    }
    if !has.log {
        command.args(["--seal", "off"]);
    }
    Process::run(&mut command)
}

async fn read(client: &mut client::Client, length: Duration) -> f64 {
    rate(length, async || {
        client.call(Method::GET, READ, String::new()).await;
        1
    })
    .await
}
