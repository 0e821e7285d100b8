//! The laptop benchmarks: each compares two things in one run, round by round in turn, and prints
//! the ratio. `docs/performance.md` tells what the figures mean.
//!
//! ```console
//! cargo run --release -p benches --bin laptop -- --help
//! ```
// A benchmark that cannot go on has nothing to say.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod append;
mod baseline;
mod echo;
mod growth;
mod scan;

use std::time::Duration;

use benches::report;
use clap::{Parser, ValueEnum};

/// Compares the store with the limits of what it is built on, on this machine.
#[derive(Debug, Parser)]
struct Args {
    /// Which benchmarks to run; all unless given
    #[arg(value_enum)]
    only: Vec<Benchmark>,
    /// How many rounds; the two sides take turns
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// How long each side runs in a round, in milliseconds
    #[arg(long, default_value_t = 1000)]
    millis: u64,
    /// The sizes of the store for `growth`, in changesets
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 100_000, 1_000_000])]
    sizes: Vec<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Benchmark {
    /// Appends over HTTP on SQLite, 1 and 16 clients, against single-row commits
    Append,
    /// The memory adapter over HTTP against an axum handler that echoes the body
    Echo,
    /// Reading everything over HTTP against a scan of the same columns
    Scan,
    /// Appends to stores of different sizes
    Growth,
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    let rounds = report::Rounds {
        count: args.rounds.max(1),
        length: Duration::from_millis(args.millis.max(1)),
    };
    println!("flush of 4 KiB to this disk: {}", report::flush_time());
    let wanted = |benchmark| args.only.is_empty() || args.only.contains(&benchmark);
    if wanted(Benchmark::Append) {
        append::run(rounds).await;
    }
    if wanted(Benchmark::Echo) {
        echo::run(rounds).await;
    }
    if wanted(Benchmark::Scan) {
        scan::run(rounds).await;
    }
    if wanted(Benchmark::Growth) {
        growth::run(rounds, &args.sizes).await;
    }
}
