//! The whole deployment on a local AWS: how long a commit takes to its checkpoint and to a
//! subscriber, and how many changesets a second go through the pipeline, against a plain indexer that
//! goes changeset by changeset. `docs/performance.md` tells what the figures mean.
//!
//! `cargo build --profile lambda -p ees-lambda`, then
//! `cargo run --release -p benches --bin deployment`. `.ci/venv moto ees-aws-testkit/requirements.txt`
//! installs what stands in for SNS and SQS.
// A benchmark that cannot go on has nothing to say.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod latency;
mod pipeline;
mod throughput;

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// Measures a deployment on a local AWS, whose services answer a little late.
#[derive(Debug, Parser)]
struct Args {
    /// The functions' binary
    #[arg(long, default_value = "target/lambda/ees-lambda")]
    function: PathBuf,
    /// What is added to each request of a function to DynamoDB and SNS, in milliseconds
    #[arg(long, default_value_t = 5)]
    delay: u64,
    /// How often a mapping looks for new records, in milliseconds; four times a second, as AWS does
    #[arg(long, default_value_t = 250)]
    poll: u64,
    /// How many commits are followed on their way
    #[arg(long, default_value_t = 200)]
    commits: u32,
    /// How many rounds of the throughput; the sides take turns
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How many changesets go through the pipeline in a round
    #[arg(long, default_value_t = 1000)]
    changesets: u64,
}

impl Args {
    fn delay(&self) -> Duration {
        Duration::from_millis(self.delay)
    }
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    latency::measure(&args).await;
    throughput::measure(&args).await;
}
