//! The errors of the test kit.

use std::io;
use std::path::PathBuf;

/// A server or a database could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// PostgreSQL's server programs are not installed.
    #[error(
        "PostgreSQL's server programs were found neither by `pg_config --bindir` nor in \
         /usr/lib/postgresql/*/bin. Install them: `apt-get install postgresql` (Debian, Ubuntu), \
         `dnf install postgresql-server` (Fedora), `brew install postgresql` (macOS)"
    )]
    NotInstalled,
    /// PostgreSQL refuses to run as root, and there is no other user to run it as.
    #[error(
        "PostgreSQL refuses to run as root, and this machine has neither a user `postgres` nor \
         `nobody` to run it as; `apt-get install postgresql` creates the first one"
    )]
    NoUser,
    /// This machine does not let the test mount a file system, which a disk of limited size is.
    #[error(
        "a disk of limited size needs a mount namespace, which this machine refuses: {said}. It \
         needs Linux, and root with CAP_SYS_ADMIN (`docker run --privileged`, or `--cap-add \
         SYS_ADMIN --security-opt apparmor=unconfined`) or user namespaces (`sysctl \
         user.max_user_namespaces`, on Debian also `kernel.unprivileged_userns_clone`, on Ubuntu \
         `kernel.apparmor_restrict_unprivileged_userns=0`)"
    )]
    NoLimitedDisk {
        /// What was refused, as `unshare` or `mount` report it.
        said: String,
    },
    /// A program could not be started.
    #[error("`{program}` could not be started: {source}")]
    Spawn {
        /// The program.
        program: String,
        /// The error of the operating system.
        r#source: io::Error,
    },
    /// A program failed.
    #[error("`{program}` failed: {said}")]
    Failed {
        /// The program.
        program: String,
        /// Its error output.
        said: String,
    },
    /// The server does not start or does not stop.
    #[error("the server in `{}` {what}; the end of its log:\n{log}", folder.display())]
    Server {
        /// The folder of the server.
        folder: PathBuf,
        /// The problem, as a verb: `does not end`.
        what: &'static str,
        /// The last lines of its log.
        log: String,
    },
    /// A file of the test kit could not be read or written.
    #[error("`{}` could not be read or written: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        r#source: io::Error,
    },
}

impl Error {
    /// Makes an error of a file, for `map_err`.
    pub(crate) fn file(path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}
