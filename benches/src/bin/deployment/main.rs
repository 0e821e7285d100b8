//! Measures the whole deployment on a local AWS: the time from a commit to its checkpoint and to a
//! subscriber, and the changesets per second through the pipeline, against a plain indexer that
//! indexes one changeset at a time. `docs/performance.md` explains the figures.
//!
//! `cargo build --profile lambda -p ees-lambda`, then
//! `cargo run --release -p benches --bin deployment`. `.ci/venv moto ees-aws-testkit/requirements.txt`
//! installs moto, which replaces SNS and SQS.
// A benchmark panics if it cannot continue.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod args;
mod latency;
mod pipeline;
mod throughput;

use args::Args;
use clap::Parser;

#[tokio::main]
async fn main() {
    let args = Args::parse();
    latency::measure(&args).await;
    throughput::measure(&args).await;
}
