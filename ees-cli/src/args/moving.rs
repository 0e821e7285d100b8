//! The flags of the commands that move data.

use std::path::PathBuf;

use clap::Args;

use super::scheme::storage_url;
use super::{AccessArgs, StorageArgs};

/// The flags of `ees export`.
#[derive(Debug, Args)]
#[command(mut_arg("storage", |arg| arg.help("The store; it may be in use")))]
pub struct ExportArgs {
    /// The store.
    #[command(flatten)]
    pub storage: StorageArgs,
    /// The file to write; it must not exist. With the ending .zst it is compressed. `-`: standard output
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Begin at this checkpoint: behind the end of an earlier export
    #[arg(long, value_name = "CHECKPOINT", default_value_t = 0,
          value_parser = clap::value_parser!(u64).range(..=i64::MAX.unsigned_abs()))]
    pub from: u64,
    /// Print the result as one JSON document, and the progress as JSON on standard error
    #[arg(long)]
    pub json: bool,
}

/// The flags of `ees import`.
#[derive(Debug, Args)]
#[command(mut_arg("storage", |arg| arg.help("The store; nothing else may write to it")))]
pub struct ImportArgs {
    /// The store.
    #[command(flatten)]
    pub storage: StorageArgs,
    /// The export; compressed or not. `-`: standard input
    #[arg(long = "in", value_name = "FILE", required_unless_present = "abandon")]
    pub file: Option<PathBuf>,
    /// Leave out the checkpoints of subscriptions and consumers: for all but the last of several exports
    #[arg(long)]
    pub without_checkpoints: bool,
    /// End an import that will not be repeated: the store accepts commits behind what it has
    #[arg(long, conflicts_with_all = ["file", "without_checkpoints"])]
    pub abandon: bool,
    /// Print the result as one JSON document, and the progress as JSON on standard error
    #[arg(long)]
    pub json: bool,
}

/// The flags of `ees copy`.
#[derive(Debug, Args)]
pub struct CopyArgs {
    /// The store to copy; it may be in use
    #[arg(
        long,
        value_name = "URL",
        value_parser = storage_url()
    )]
    pub from: String,
    /// The store to copy to; nothing else may write to it
    #[arg(
        long,
        value_name = "URL",
        value_parser = storage_url()
    )]
    pub to: String,
    /// Follow the source until it has a fence (`ees admin fence`), and then to its end. From DynamoDB:
    /// until it is stopped
    #[arg(long)]
    pub follow: bool,
    /// When the copy has caught up, give the source a fence: it accepts no more commits, and tells
    /// clients this address of the new server
    #[arg(long, value_name = "ADDRESS", conflicts_with = "follow")]
    pub fence: Option<String>,
    /// Leave out the checkpoints of subscriptions and consumers
    #[arg(long)]
    pub without_checkpoints: bool,
    /// Print the result as one JSON document, and the progress as JSON on standard error
    #[arg(long)]
    pub json: bool,
}

/// The flags of `ees verify`.
#[derive(Debug, Args)]
#[command(mut_arg("storage", |arg| arg.help("The store; it may be in use")))]
pub struct VerifyArgs {
    /// The store.
    #[command(flatten)]
    pub storage: StorageArgs,
    /// The server of a store, instead of the store: http://HOST:PORT or https://HOST:PORT. It is read over
    /// HTTP, with a key that may read everything
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// How the server is reached.
    #[command(flatten)]
    pub access: AccessArgs,
    /// The key that verifies the log, as `ees log vkey` prints it. The log must be signed then, and
    /// --since too
    #[arg(long, value_name = "KEY", env = "EES_LOG_PUBLIC_KEY")]
    pub log_public_key: Option<String>,
    /// Compare with this head of the log, which --save or GET /log/checkpoint has written
    #[arg(long, value_name = "FILE")]
    pub since: Option<PathBuf>,
    /// Write the head of the log into this file, if all is as it should be. It may be that of --since
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Print the result as one JSON document, and the progress as JSON on standard error
    #[arg(long)]
    pub json: bool,
}
