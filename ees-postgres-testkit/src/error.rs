//! Why there is no database to test with.

use std::io;
use std::path::PathBuf;

/// Something that a test needs of PostgreSQL could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no PostgreSQL server on this machine.
    #[error(
        "PostgreSQL's server programs were found neither by `pg_config --bindir` nor in \
         /usr/lib/postgresql/*/bin. Install them: `apt-get install postgresql` (Debian, Ubuntu), \
         `dnf install postgresql-server` (Fedora), `brew install postgresql` (macOS)"
    )]
    NotInstalled,
    /// Root must not run PostgreSQL, and there is nobody else to run it as.
    #[error(
        "PostgreSQL refuses to run as root, and this machine has neither a user `postgres` nor \
         `nobody` to run it as; `apt-get install postgresql` makes the first"
    )]
    NoUser,
    /// A program could not be started.
    #[error("`{program}` could not be started: {source}")]
    Spawn {
        /// The program.
        program: String,
        /// What the system said.
        r#source: io::Error,
    },
    /// A program failed.
    #[error("`{program}` failed: {said}")]
    Failed {
        /// The program.
        program: String,
        /// What it said.
        said: String,
    },
    /// The server does not come up, or does not go.
    #[error("the server in `{}` {what}; the end of its log:\n{log}", folder.display())]
    Server {
        /// Where it is.
        folder: PathBuf,
        /// What is the matter with it.
        what: &'static str,
        /// The end of its log.
        log: String,
    },
    /// A file of the test kit's own could not be read or written.
    #[error("`{}` could not be read or written: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        r#source: io::Error,
    },
}

impl Error {
    /// For `map_err`: what goes wrong with a file.
    pub(crate) fn file(path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}
