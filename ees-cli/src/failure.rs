//! How the process ends.

use std::process::ExitCode;

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
