//! A server for tests: a process `ees serve` on a free port of this machine.
//!
//! ```rust,no_run
//! use ees_client::testing::Server;
//! use ees_client::{EventStore, Events, Expectation, NewChangeset};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::start().await?;
//! let store = EventStore::new(&server.url())?;
//! let events = Events::parse(r#"[{"type": "paid"}]"#)?;
//! let commit = NewChangeset::new("order-17".parse()?, Expectation::NEW_STREAM, events)
//!     .with_idempotency_key("command-1".parse()?);
//! let first = store.commit(&commit).await?;
//! let again = store.commit(&commit).await?;
//! assert_eq!((again.changeset_id, again.replayed), (first.changeset_id, true));
//! # Ok(())
//! # }
//! ```

use std::ffi::OsString;
use std::io;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A process `ees serve`. Dropping it kills the process.
#[derive(Debug)]
pub struct Server {
    binary: OsString,
    storage: String,
    address: String,
    process: Option<Child>,
}

impl Server {
    /// Starts `ees` of `PATH` as a server whose store lives in memory, and waits until it listens.
    ///
    /// # Errors
    /// [`io::Error`] if the binary is not found, or ends.
    pub async fn start() -> io::Result<Self> {
        Self::of("ees", "memory:").await
    }

    /// Starts a server of a binary on a storage. A storage such as `sqlite:PATH` outlives
    /// [`Server::kill`] and [`Server::restart`].
    ///
    /// # Errors
    /// [`io::Error`] if the binary is not found, or ends.
    pub async fn of(binary: impl Into<OsString>, storage: &str) -> io::Result<Self> {
        let mut server = Self {
            binary: binary.into(),
            storage: storage.to_owned(),
            address: "127.0.0.1:0".to_owned(),
            process: None,
        };
        server.restart().await?;
        Ok(server)
    }

    /// The address of the server.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends the process as a crash does, by SIGKILL.
    ///
    /// # Errors
    /// [`io::Error`] if the system refuses.
    pub async fn kill(&mut self) -> io::Result<()> {
        match self.process.take() {
            Some(mut process) => process.kill().await,
            None => Ok(()),
        }
    }

    /// Starts the process, anew if it runs, and waits until it listens: on the same port as before.
    ///
    /// # Errors
    /// [`io::Error`] if the binary is not found, or ends.
    pub async fn restart(&mut self) -> io::Result<()> {
        self.kill().await?;
        let binary = self.binary.display();
        let mut command = Command::new(&self.binary);
        command.args([
            "serve",
            "--storage",
            &self.storage,
            "--listen",
            &self.address,
        ]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut process = command.spawn().map_err(|error| {
            let hint = "put `ees` into PATH, or name its path";
            io::Error::new(error.kind(), format!("{binary}: {error}; {hint}"))
        })?;
        let ended = || io::Error::other(format!("`{binary} serve` did not start"));
        let output = process.stdout.take().ok_or_else(ended)?;
        let line = BufReader::new(output).lines().next_line().await?;
        let address = line
            .as_deref()
            .and_then(|line| line.trim_end().rsplit_once("://"));
        address.ok_or_else(ended)?.1.clone_into(&mut self.address);
        self.process = Some(process);
        Ok(())
    }
}
