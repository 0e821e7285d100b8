//! The benchmarks of the PostgreSQL adapter, against PostgreSQL itself through the same driver.
//! Each compares two sides on one durable server in one run. The sides alternate in each round. The
//! benchmark prints the ratio. `docs/postgres.md` explains the figures.
//!
//! ```console
//! cargo run --release -p benches --bin postgres -- --help
//! ```
// A benchmark panics if it cannot continue.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod append;
mod baseline;
mod filters;
mod growth;
mod scan;
mod setup;

use std::time::Duration;

use benches::report;
use clap::{Parser, ValueEnum};

/// Compares the store on PostgreSQL with PostgreSQL itself, on this machine.
#[derive(Debug, Parser)]
struct Args {
    /// The benchmarks to run; default: all
    #[arg(value_enum)]
    only: Vec<Benchmark>,
    /// The number of rounds; in each, the two sides run in turn
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// The duration of each side in a round, in milliseconds
    #[arg(long, default_value_t = 1000)]
    millis: u64,
    /// The sizes of the store for `growth`, in changesets
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 100_000, 1_000_000])]
    sizes: Vec<u64>,
    /// The number of changesets that `filters` follows
    #[arg(long, default_value_t = 1_000_000)]
    followed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Benchmark {
    /// Appends with 1, 16 and 64 clients against plain one-row inserts, one commit each
    Append,
    /// The same, the store's side over HTTP
    Http,
    /// Appends with idempotency keys, against appends without
    Keys,
    /// Reading everything in pages of 1000 against COPY of the same rows
    Scan,
    /// Following one changeset of 1000 against COPY of the small columns
    Filters,
    /// Appends of events with types, against events without
    Types,
    /// Commits beside a consumer that follows them, against commits without one
    Beside,
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
    println!("fdatasync of 4 KiB on this disk: {}", report::flush_time());
    let server = setup::server();
    let wanted = |benchmark| args.only.is_empty() || args.only.contains(&benchmark);
    if wanted(Benchmark::Append) {
        append::run(&server, rounds).await;
    }
    if wanted(Benchmark::Http) {
        append::run_over_http(&server, rounds).await;
    }
    if wanted(Benchmark::Keys) {
        append::run_with_keys(&server, rounds).await;
    }
    if wanted(Benchmark::Scan) {
        scan::run(&server, rounds).await;
    }
    if wanted(Benchmark::Filters) {
        filters::run(&server, rounds, args.followed).await;
    }
    if wanted(Benchmark::Types) {
        append::run_with_types(&server, rounds).await;
    }
    if wanted(Benchmark::Beside) {
        append::run_beside_a_consumer(&server, rounds).await;
    }
    if wanted(Benchmark::Growth) {
        growth::run(&server, rounds, &args.sizes).await;
    }
}
