use std::io;
use std::path::PathBuf;

use crate::FunctionError;
use crate::template::TemplateError;

/// The errors of the local AWS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The template cannot be used.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// moto, which replaces SNS, SQS and S3, is not installed.
    #[error(
        "moto, which replaces SNS, SQS and S3, is not installed: {python} does not exist; \
         in the repository's root run\n  python3 -m venv target/moto && \
         target/moto/bin/pip install -r ees-aws-testkit/requirements.txt"
    )]
    NoMoto {
        /// The path of the Python interpreter.
        python: PathBuf,
    },
    /// A process or a server could not be started.
    #[error("{what} cannot be started: {source}")]
    Start {
        /// What could not be started.
        what: &'static str,
        /// The error of the operating system.
        r#source: io::Error,
    },
    /// A call to a service failed.
    #[error("{operation} failed: {said}")]
    Service {
        /// The operation: `DynamoDB_20120810.CreateTable`.
        operation: String,
        /// The answer of the service, or the reason why it cannot be reached.
        said: String,
    },
    /// A function failed.
    #[error("the function {name} failed: {source}")]
    Function {
        /// The function's logical id.
        name: String,
        /// The error of the invocation.
        r#source: FunctionError,
    },
    /// The template has no function or mapping of this name.
    #[error("the template has no {what} `{name}`; it has {known}")]
    Unknown {
        /// The kind of the name.
        what: &'static str,
        /// The name.
        name: String,
        /// The existing names.
        known: String,
    },
}

impl Error {
    pub(crate) fn start(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Start { what, source }
    }
}
