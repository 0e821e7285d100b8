//! The whole deployment on a local AWS: how long a commit takes to its checkpoint and to a
//! subscriber, and how many changesets a second go through the pipeline, against a plain indexer that
//! goes changeset by changeset. `docs/performance.md` tells what the figures mean.
//!
//! `cargo build --profile lambda -p ees-lambda`, then
//! `cargo run --release -p benches --bin deployment`. `.ci/venv moto ees-aws-testkit/requirements.txt`
//! installs what stands in for SNS and SQS.
// A benchmark that cannot go on has nothing to say.
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
