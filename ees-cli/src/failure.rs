//! How the process ends: its exit codes.

use std::process::ExitCode;

use ees_core::Timestamp;
use ees_storage::OpenError;
use serde_json::json;

use crate::args::LogFormat;

/// How the process ends; `ees --help` lists the codes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// Exit code 1: something failed while running.
    #[error("{0}")]
    Run(String),
    /// Exit code 2: the command line is wrong.
    #[error("{0}")]
    Usage(String),
    /// Exit code 3: the storage cannot be opened.
    #[error("{0}")]
    Storage(String),
    /// Exit code 4: the address cannot be listened on.
    #[error("{0}")]
    Listen(String),
    /// What `ees verify` has found. Its exit codes are its own: 1 altered, 2 missing, 3 not verified.
    #[error("{report}")]
    Verified {
        /// The exit code.
        code: u8,
        /// What is not as it should be, for people.
        report: String,
    },
}

impl Failure {
    /// The process's exit code.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code())
    }

    /// The line that tells it, in the format of the log: the log's own filter may hide what ends the
    /// process.
    pub fn line(&self, format: LogFormat) -> String {
        match format {
            LogFormat::Text => format!("ees: {self}"),
            LogFormat::Json => json!({
                "timestamp": Timestamp::now().to_string(),
                "level": "ERROR",
                "message": self.to_string(),
                "exit_code": self.code(),
            })
            .to_string(),
        }
    }

    /// A verification has found something: something altered, or only missing.
    pub(crate) fn found(is_altered: bool, report: &str) -> Self {
        Self::Verified {
            code: if is_altered { 1 } else { 2 },
            report: report.to_owned(),
        }
    }

    /// A verification could not be run.
    pub(crate) fn not_verified(why: impl std::fmt::Display) -> Self {
        Self::Verified {
            code: 3,
            report: format!("not verified: {why}"),
        }
    }

    /// `--storage` cannot be opened.
    pub(crate) fn of_storage(error: OpenError) -> Self {
        Self::opening("--storage", error)
    }

    /// `--publish` cannot be opened.
    pub(crate) fn of_publisher(error: OpenError) -> Self {
        Self::opening("--publish", error)
    }

    /// The adapter does not accept the URL in `--storage`.
    #[cfg(any(feature = "dynamodb", feature = "sqlite"))]
    pub(crate) fn wrong_storage(url: &str, problem: impl std::fmt::Display) -> Self {
        Self::Usage(format!(
            "`--storage {}`: {problem}",
            ees_storage::redacted(url)
        ))
    }

    fn opening(flag: &str, error: OpenError) -> Self {
        match error {
            OpenError::Url { url, problem } => Self::Usage(format!("`{flag} {url}`: {problem}")),
            error => Self::Storage(error.to_string()),
        }
    }

    fn code(&self) -> u8 {
        match self {
            Self::Run(_) => 1,
            Self::Usage(_) => 2,
            Self::Storage(_) => 3,
            Self::Listen(_) => 4,
            Self::Verified { code, .. } => *code,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit_codes::EXIT_CODES;

    #[test]
    fn every_failure_has_a_listed_code_of_its_own() {
        let failures = [
            Failure::Run,
            Failure::Usage,
            Failure::Storage,
            Failure::Listen,
        ];
        let codes = failures.map(|failure| failure(String::new()).code());
        let listed = EXIT_CODES.map(|(code, _)| code);
        assert_eq!(codes, listed[1..]);
    }
}
