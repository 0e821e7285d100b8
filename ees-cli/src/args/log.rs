//! The flags of `ees log`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::RemoteArgs;
use super::scheme::storage_url;

/// The flags of `ees log`.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// The task.
    #[command(subcommand)]
    pub act: LogAct,
}

/// What to do with the verifiable log.
#[derive(Debug, Subcommand)]
pub enum LogAct {
    /// Make a key that signs the log, and write it into a new file that only its owner can read.
    Keygen(LogKeygen),
    /// Print the key that verifies what a log's key signs for a store. It is no secret.
    Vkey(LogVkey),
    /// Verify that a changeset is in a signed log, with its proof alone. Exit code 1 says that it is
    /// not.
    VerifyProof(LogVerifyProof),
}

/// The flags of `ees log keygen`.
#[derive(Debug, Args)]
pub struct LogKeygen {
    /// The name of the key, as a domain with a path: example.com/shop. The log of a store gets the
    /// origin NAME/STORE-ID
    #[arg(long, value_name = "NAME")]
    pub origin: String,
    /// The file to write; it must not exist
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// The flags of `ees log vkey`.
#[derive(Debug, Args)]
pub struct LogVkey {
    /// The key, as `ees log keygen` makes it
    #[arg(long, value_name = "FILE", env = "EES_LOG_KEY")]
    pub log_key: PathBuf,
    /// The store, instead of its server
    #[arg(
        long,
        value_name = "URL",
        value_parser = storage_url()
    )]
    pub storage: Option<String>,
    /// The server of the store.
    #[command(flatten)]
    pub remote: RemoteArgs,
}

/// The flags of `ees log verify-proof`.
#[derive(Debug, Args)]
pub struct LogVerifyProof {
    /// The proof, as `GET /log/proof` answers it
    pub proof: PathBuf,
    /// The changeset with all details, as a read with `details=true` answers it: the answer of GET
    /// /changesets or of a stream, or one changeset of it with its `stream_id`
    #[arg(long, value_name = "FILE")]
    pub changeset: PathBuf,
    /// The key that verifies the log, as `ees log vkey` prints it
    #[arg(long, value_name = "KEY", env = "EES_LOG_PUBLIC_KEY")]
    pub log_public_key: String,
}
