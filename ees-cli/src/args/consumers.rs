//! The flags of `ees consumers`.

use clap::{Args, Subcommand};
use ees_core::consumer::ConsumerName;

use super::RemoteArgs;

/// The flags of `ees consumers`.
#[derive(Debug, Args)]
pub struct ConsumersArgs {
    /// The server.
    #[command(flatten)]
    pub remote: RemoteArgs,
    /// Print JSON instead of text
    #[arg(long, global = true)]
    pub json: bool,
    /// The task.
    #[command(subcommand)]
    pub act: ConsumersAct,
}

/// What to do with consumers.
#[derive(Debug, Subcommand)]
pub enum ConsumersAct {
    /// List the consumers with their lag and their parked streams.
    List,
    /// Show a consumer: its lag, its partitions and who works on them.
    Show {
        /// The consumer.
        name: ConsumerName,
    },
    /// List the streams that a consumer could not handle.
    Parked {
        /// The consumer.
        name: ConsumerName,
        /// The largest number of streams
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=1000))]
        limit: u64,
        /// Only streams after this one, in the order of the list
        #[arg(long, value_name = "STREAM")]
        after: Option<String>,
    },
    /// Try a parked stream now.
    Retry {
        /// The consumer.
        name: ConsumerName,
        /// The stream.
        stream: String,
    },
    /// Skip changesets of a parked stream: the consumer never handles them.
    Skip {
        /// The consumer.
        name: ConsumerName,
        /// The stream.
        stream: String,
        /// The last changeset to skip
        #[arg(long, value_name = "CHANGESET")]
        through: u64,
    },
    /// Move a consumer to a checkpoint. What follows it is handed out again.
    Reset {
        /// The consumer.
        name: ConsumerName,
        /// The checkpoint.
        checkpoint: u64,
    },
}
