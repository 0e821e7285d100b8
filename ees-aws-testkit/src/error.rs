use std::io;
use std::path::PathBuf;

use crate::FunctionError;
use crate::template::TemplateError;

/// Why the local AWS cannot do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The template cannot be used.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The program that stands in for SNS, SQS and S3 is not there.
    #[error(
        "moto, which stands in for SNS, SQS and S3, is not installed: there is no {python}; \
         in the repository's root run\n  python3 -m venv target/moto && \
         target/moto/bin/pip install -r ees-aws-testkit/requirements.txt"
    )]
    NoMoto {
        /// Where it was looked for.
        python: PathBuf,
    },
    /// Something could not be started.
    #[error("{what} cannot be started: {source}")]
    Start {
        /// What.
        what: &'static str,
        /// Why.
        r#source: io::Error,
    },
    /// A service did not do what it was asked to.
    #[error("{operation} failed: {said}")]
    Service {
        /// What it was asked: `DynamoDB_20120810.CreateTable`.
        operation: String,
        /// What it said, or that it cannot be reached.
        said: String,
    },
    /// A function failed.
    #[error("the function {name} failed: {source}")]
    Function {
        /// Its logical id.
        name: String,
        /// How.
        r#source: FunctionError,
    },
    /// The template has nothing of that name.
    #[error("the template has no {what} `{name}`; it has {known}")]
    Unknown {
        /// What was looked for.
        what: &'static str,
        /// Its name.
        name: String,
        /// What there is.
        known: String,
    },
}

impl Error {
    pub(crate) fn start(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Start { what, source }
    }
}
