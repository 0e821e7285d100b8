//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// Measures a deployment on a local AWS with added latency.
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// The functions' binary
    #[arg(long, default_value = "target/lambda/ees-lambda")]
    pub(crate) function: PathBuf,
    /// The latency added to each request of a function to DynamoDB and SNS, in milliseconds
    #[arg(long, default_value_t = 5)]
    pub(crate) delay: u64,
    /// The time between two polls of a mapping, in milliseconds; AWS polls four times a second
    #[arg(long, default_value_t = 250)]
    pub(crate) poll: u64,
    /// The number of commits whose latency is measured
    #[arg(long, default_value_t = 200)]
    pub(crate) commits: u32,
    /// The number of throughput rounds; in each, the sides run in turn
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: usize,
    /// The number of changesets that go through the pipeline in a round
    #[arg(long, default_value_t = 1000)]
    pub(crate) changesets: u64,
}

impl Args {
    pub(crate) fn delay(&self) -> Duration {
        Duration::from_millis(self.delay)
    }
}
