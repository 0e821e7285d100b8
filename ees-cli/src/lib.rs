//! The `ees` binary's parts: the command line, the choice of the adapter, the running server.

pub mod admin;
pub mod args;
pub mod backup;
pub mod logs;
pub mod server;
pub mod storage;

#[cfg(any(feature = "dynamodb", feature = "sns"))]
mod aws;
mod failure;
#[cfg(feature = "dynamodb")]
mod indexing;
mod projector;
mod publisher;
mod publishing;

pub use failure::Failure;

use args::{Cli, Command};

/// Does what the command line asks for.
///
/// # Errors
/// [`Failure`] says why it could not be done, and with which exit code to end.
pub async fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        None => server::run(&cli.serve).await,
        Some(Command::Serve(args)) => server::run(&args).await,
        Some(Command::Backup(args)) => backup::run(&args).await,
        Some(Command::Admin(args)) => admin::run(&args).await,
    }
}
