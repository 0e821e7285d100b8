//! The `ees` binary's parts: the command line, the choice of the adapter, the running server.

pub mod admin;
pub mod args;
pub mod backup;
pub mod logs;
pub mod server;
pub mod storage;

#[cfg(any(feature = "dynamodb", feature = "sns"))]
mod aws;
mod publisher;

use std::process::ExitCode;

use args::{Cli, Command};

/// How the process ends; `ees --help` lists the codes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// Exit code 1: something failed while running.
    #[error("{0}")]
    Run(String),
    /// Exit code 2: the command line asks for what cannot be.
    #[error("{0}")]
    Usage(String),
    /// Exit code 3: the storage cannot be opened.
    #[error("{0}")]
    Storage(String),
    /// Exit code 4: the address cannot be listened on.
    #[error("{0}")]
    Listen(String),
}

impl Failure {
    /// The process's exit code.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Run(_) => 1,
            Self::Usage(_) => 2,
            Self::Storage(_) => 3,
            Self::Listen(_) => 4,
        })
    }
}

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
