//! The laptop benchmarks. Each compares two sides in one run. The sides alternate in each round.
//! The benchmark prints the ratio. `docs/performance.md` explains the figures.
//!
//! ```console
//! cargo run --release -p benches --bin laptop -- --help
//! ```
// A benchmark panics if it cannot continue.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod append;
mod baseline;
mod consumers;
mod echo;
mod filters;
mod growth;
mod scan;
mod sets;

use std::path::PathBuf;
use std::time::Duration;

use benches::chart::Chart;
use benches::report;
use clap::{Parser, ValueEnum};

/// Compares the store with the limits of what it is built on, on this machine.
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
    /// Draws the benchmarks from `append` to `scan-http` into this file, as SVG
    #[arg(long)]
    chart: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Benchmark {
    /// Appends on SQLite, 1, 16 and 64 clients, against transactions of as many rows
    Append,
    /// Appends on SQLite with idempotency keys, against appends without
    Keys,
    /// Sets of two commits over HTTP, against single commits
    Sets,
    /// The same as `append` over HTTP, against transactions of one row
    Http,
    /// The memory adapter over HTTP against an axum handler that echoes the body
    Echo,
    /// Reading everything against a scan of the same columns
    Scan,
    /// The same over HTTP
    ScanHttp,
    /// A consumer over HTTP against plain reads of the global order, and the cost of idle consumers
    Consumers,
    /// Commits beside a consumer that follows them, against commits without one
    Beside,
    /// Following one changeset of 1000 against a scan of the small columns
    Filters,
    /// Appends of events with types on SQLite, against events without
    Types,
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
    let flush = report::flush_time();
    println!("fdatasync of 4 KiB on this disk: {flush}");
    let mut chart = Chart::new(
        "The store against what it is built on",
        &format!(
            "Medians of {} rounds, of the ratios too; lines show the range. An fdatasync of 4 KiB took {flush}.",
            rounds.count
        ),
    );
    let wanted = |benchmark| args.only.is_empty() || args.only.contains(&benchmark);
    if wanted(Benchmark::Append) {
        chart.add(append::run(rounds).await);
    }
    if wanted(Benchmark::Keys) {
        chart.add(append::run_with_keys(rounds).await);
    }
    if wanted(Benchmark::Http) {
        chart.add(append::run_over_http(rounds).await);
    }
    if wanted(Benchmark::Sets) {
        chart.add(sets::run(rounds).await);
    }
    if wanted(Benchmark::Echo) {
        chart.add(echo::run(rounds).await);
    }
    if wanted(Benchmark::Scan) {
        chart.add(scan::run(rounds).await);
    }
    if wanted(Benchmark::ScanHttp) {
        chart.add(scan::run_over_http(rounds).await);
    }
    if wanted(Benchmark::Consumers) {
        consumers::run(rounds).await;
        consumers::run_idle(rounds).await;
    }
    if wanted(Benchmark::Beside) {
        consumers::run_beside(rounds).await;
    }
    if wanted(Benchmark::Filters) {
        filters::run(rounds, args.followed).await;
    }
    if wanted(Benchmark::Types) {
        filters::run_appends(rounds).await;
    }
    if wanted(Benchmark::Growth) {
        growth::run(rounds, &args.sizes).await;
    }
    if let Some(file) = args.chart {
        chart.write(&file);
    }
}
