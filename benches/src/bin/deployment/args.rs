//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// Measures a deployment on a local AWS, whose services answer a little late.
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// The functions' binary
    #[arg(long, default_value = "target/lambda/ees-lambda")]
    pub(crate) function: PathBuf,
    /// What is added to each request of a function to DynamoDB and SNS, in milliseconds
    #[arg(long, default_value_t = 5)]
    pub(crate) delay: u64,
    /// How often a mapping looks for new records, in milliseconds; four times a second, as AWS does
    #[arg(long, default_value_t = 250)]
    pub(crate) poll: u64,
    /// How many commits are followed on their way
    #[arg(long, default_value_t = 200)]
    pub(crate) commits: u32,
    /// How many rounds of the throughput; the sides take turns
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: usize,
    /// How many changesets go through the pipeline in a round
    #[arg(long, default_value_t = 1000)]
    pub(crate) changesets: u64,
}

impl Args {
    pub(crate) fn delay(&self) -> Duration {
        Duration::from_millis(self.delay)
    }
}
