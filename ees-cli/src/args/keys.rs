//! The flags of `ees keys`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use ees_http::Right;
use jiff::Timestamp;

use crate::keys::{parse_right, parse_time};

/// The flags of `ees keys`.
#[derive(Debug, Args)]
pub struct KeysArgs {
    /// The task.
    #[command(subcommand)]
    pub act: KeysAct,
}

/// What to do with the file of keys.
#[derive(Debug, Subcommand)]
pub enum KeysAct {
    /// Add a key and print its secret, which is shown only once.
    Add(KeysAdd),
    /// List the keys, without secrets.
    List(KeysList),
    /// Remove a key. A running server refuses it within two seconds, and ends its waiting calls.
    Revoke(KeysRevoke),
}

/// The flags of `ees keys add`.
#[derive(Debug, Args)]
pub struct KeysAdd {
    /// The file of keys; created if it is missing
    #[arg(long, value_name = "FILE", env = "EES_KEYS")]
    pub file: PathBuf,
    /// The name of the key, for logs and errors
    #[arg(long)]
    pub name: String,
    /// A right: read, append, consume, metrics or admin. Several: separated by commas, or repeated
    #[arg(long, required = true, value_delimiter = ',', value_parser = parse_right)]
    pub right: Vec<Right>,
    /// Limit the key to streams whose id begins so. Several: repeat the flag
    #[arg(long, value_name = "PREFIX", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub stream_prefix: Vec<String>,
    /// When the key ends: a time as 2027-01-31T12:00:00Z, or a day as 2027-01-31
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub expires: Option<Timestamp>,
}

/// The flags of `ees keys list`.
#[derive(Debug, Args)]
pub struct KeysList {
    /// The file of keys
    #[arg(long, value_name = "FILE", env = "EES_KEYS")]
    pub file: PathBuf,
}

/// The flags of `ees keys revoke`.
#[derive(Debug, Args)]
pub struct KeysRevoke {
    /// The file of keys
    #[arg(long, value_name = "FILE", env = "EES_KEYS")]
    pub file: PathBuf,
    /// The name of the key
    #[arg(long)]
    pub name: String,
}
