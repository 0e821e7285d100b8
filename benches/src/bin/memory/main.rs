//! The memory of `ees serve` on SQLite while 16 clients commit a million changesets, and while one client then
//! reads them all. `docs/performance.md` has the figures.
//!
//! `cargo build --release`, then `cargo run --release -p benches --bin memory`.
// A benchmark panics if it cannot continue.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use benches::client::{self, Client};
use benches::load::Streams;
use benches::process::Process;
use benches::server;
use clap::Parser;
use hyper::Method;

/// The arguments.
#[derive(Debug, Parser)]
struct Args {
    /// The server
    #[arg(long, default_value = "target/release/ees")]
    server: PathBuf,
    /// The number of commits
    #[arg(long, default_value_t = 1_000_000)]
    commits: u64,
    /// The number of clients
    #[arg(long, default_value_t = 16)]
    clients: usize,
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    let folder = tempfile::tempdir().unwrap();
    let storage = format!("sqlite:{}", folder.path().join("ees.db").display());
    let server = Process::start(&args.server, &storage);
    println!("at the start: {} MiB", server.memory());
    let mut clients = server::clients(server.address.parse().unwrap(), args.clients).await;
    let streams = Arc::new(Streams::of_length(0));
    for tenth in 1..=10 {
        while committed(&mut clients[0]).await < args.commits * tenth / 10 {
            client::append(&mut clients, &streams, Duration::from_secs(1)).await;
        }
        let commits = committed(&mut clients[0]).await;
        println!("after {commits} commits: {} MiB", server.memory());
    }
    let end = committed(&mut clients[0]).await;
    for from in (0..end).step_by(1000) {
        let path = format!("/changesets?checkpoint={from}&limit=1000");
        clients[0].call(Method::GET, &path, String::new()).await;
    }
    println!("after reading them all: {} MiB", server.memory());
    thread::sleep(Duration::from_secs(30));
    println!("30 seconds later: {} MiB", server.memory());
    println!("at most: {} MiB", server.most_memory());
}

/// The number of changesets: the position that the next one gets.
async fn committed(client: &mut Client) -> u64 {
    let head = "/changesets?checkpoint=head&limit=1";
    let answer = client.call(Method::GET, head, String::new()).await;
    let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
    answer["next_checkpoint"].as_u64().unwrap()
}
