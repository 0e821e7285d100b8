//! A server for tests: a process `ees serve` on a free port of this machine.

use std::io;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A process `ees serve`. The binary is the one in `EES_BINARY`, or `ees` in `PATH`. Dropping it kills the
/// process.
#[derive(Debug)]
pub struct Server {
    storage: String,
    address: String,
    process: Option<Child>,
}

impl Server {
    /// Starts a server whose store lives in memory, and waits until it listens.
    ///
    /// # Errors
    /// [`io::Error`] if the binary is not found, or ends.
    pub async fn start() -> io::Result<Self> {
        Self::on("memory:").await
    }

    /// Starts a server on a storage. One such as `sqlite:PATH` outlives [`Server::kill`] and
    /// [`Server::restart`].
    ///
    /// # Errors
    /// [`io::Error`] if the binary is not found, or ends.
    pub async fn on(storage: &str) -> io::Result<Self> {
        let mut server = Self {
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
        let binary = std::env::var("EES_BINARY").unwrap_or_else(|_| "ees".to_owned());
        let mut command = Command::new(&binary);
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
            let hint = "put `ees` into PATH, or its path into EES_BINARY";
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
