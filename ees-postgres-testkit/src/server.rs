//! A server for one test, and the faults that a test can cause.

use std::fs;
use std::process::Child;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::machine::{children, signal};
use crate::running::{LONG, Running, SHORT};
use crate::{Database, Error, Settings};

/// A server for one test. It is stopped and its data is removed when this value is dropped, or when
/// the process ends for whatever reason.
#[derive(Debug)]
pub struct Server {
    running: Arc<Running>,
    process: Mutex<Option<Child>>,
}

impl Server {
    /// Starts a durable server.
    ///
    /// # Errors
    /// [`Error`] if there is no PostgreSQL on this machine or it does not start.
    pub fn start() -> Result<Self, Error> {
        Self::with(Settings::default())
    }

    /// Starts a server with these settings.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn with(settings: Settings) -> Result<Self, Error> {
        let (running, process) = Running::start(settings, 0)?;
        Ok(Self {
            running: Arc::new(running),
            process: Mutex::new(Some(process)),
        })
    }

    /// Creates a database. Dropping the returned value drops it.
    ///
    /// # Errors
    /// [`Error`] if it cannot be created.
    pub fn database(&self) -> Result<Database, Error> {
        Database::create(Arc::clone(&self.running))
    }

    /// Stops the server (fast shutdown): it rolls back open transactions and closes all
    /// connections.
    ///
    /// # Errors
    /// [`Error`] if it does not stop.
    pub fn stop(&self) -> Result<(), Error> {
        self.end("INT")
    }

    /// Kills all processes of the server with SIGKILL, as the kernel does when memory runs out. The
    /// server writes nothing more.
    ///
    /// # Errors
    /// [`Error`] if it does not end.
    pub fn kill(&self) -> Result<(), Error> {
        if let Some(server) = self.process().as_ref().map(Child::id) {
            // The server is stopped first, so that it starts no further process. It does not clean
            // up children that have ended.
            signal(server, "STOP");
            self.running.wait_for(server, &['T', 'Z'])?;
            let children = children(server);
            for &child in &children {
                signal(child, "KILL");
            }
            for &child in &children {
                self.running.wait_for(child, &['Z'])?;
            }
        }
        self.end("KILL")
    }

    /// Starts the server again at the same address with the same data. Does nothing if it runs.
    ///
    /// # Errors
    /// [`Error`] if it does not start.
    pub fn resume(&self) -> Result<(), Error> {
        if self.process().is_some() {
            return Ok(());
        }
        let begun = Instant::now();
        loop {
            let mut process = self.running.spawn()?;
            match self.running.wait_until_ready(&mut process) {
                Ok(()) => {
                    *self.process() = Some(process);
                    return Ok(());
                }
                // The remains of a killed server take a moment to end.
                Err(error) if begun.elapsed() > LONG => return Err(error),
                Err(_) => std::thread::sleep(SHORT),
            }
        }
    }

    /// Restarts the server as a standby at the same address. It answers reads and accepts no writes
    /// until `SELECT pg_promote()`.
    ///
    /// # Errors
    /// [`Error`] if it does not stop or does not start.
    pub fn stand_by(&self) -> Result<(), Error> {
        self.stop()?;
        self.running.folder.write("data/standby.signal", "")?;
        self.resume()
    }

    /// Fills the server's disk completely; see [`Settings::disk`].
    ///
    /// # Errors
    /// [`Error`] if its disk has no limit or the server does not answer.
    pub fn fill_disk(&self) -> Result<(), Error> {
        if self.running.settings.disk.is_none() {
            return Err(Error::Failed {
                program: "fill_disk".to_owned(),
                said: "the server's disk has no limit; start it with `Settings::disk`".to_owned(),
            });
        }
        self.run_in_data("cat /dev/zero >ballast 2>/dev/null")
    }

    /// Frees the space that [`fill_disk`](Self::fill_disk) took.
    ///
    /// # Errors
    /// [`Error`] if the server does not answer.
    pub fn free_disk(&self) -> Result<(), Error> {
        self.run_in_data("rm -f ballast")
    }

    fn run_in_data(&self, command: &str) -> Result<(), Error> {
        let copy = format!("COPY (SELECT) TO PROGRAM '{command}; cat >/dev/null'");
        self.running.sql("postgres", &copy).map(drop)
    }

    fn end(&self, by: &str) -> Result<(), Error> {
        let Some(mut process) = self.process().take() else {
            return Ok(());
        };
        signal(process.id(), by);
        self.running.wait_for_end(&mut process)
    }

    fn process(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The guardian does what fails here.
        let _ = self.end("QUIT");
        let _ = fs::remove_dir_all(&self.running.folder.path);
    }
}
