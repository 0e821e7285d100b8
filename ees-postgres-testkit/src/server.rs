//! A server of one's own, and what can be done to it.

use std::fs;
use std::process::Child;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::machine::{children, signal};
use crate::running::{LONG, Running, SHORT};
use crate::{Database, Error, Settings};

/// A server of one's own. It is stopped, and all that it held is removed, when this is dropped, or
/// when the process ends, however it ends.
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

    /// Makes a database, which is dropped with its handle.
    ///
    /// # Errors
    /// [`Error`] if it cannot be made.
    pub fn database(&self) -> Result<Database, Error> {
        Database::create(Arc::clone(&self.running))
    }

    /// Stops it in order: open transactions are rolled back, all connections cut.
    ///
    /// # Errors
    /// [`Error`] if it does not stop.
    pub fn stop(&self) -> Result<(), Error> {
        self.end("INT")
    }

    /// Ends it by SIGKILL, as need of memory would: nothing is written any more.
    ///
    /// # Errors
    /// [`Error`] if it does not end.
    pub fn kill(&self) -> Result<(), Error> {
        if let Some(server) = self.process().as_ref().map(Child::id) {
            // So that it begins no further process. What has ended it does not clean up.
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

    /// Starts it again, at the same address, over what it holds; nothing if it runs.
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
                // What a killed server leaves behind takes a moment to end.
                Err(error) if begun.elapsed() > LONG => return Err(error),
                Err(_) => std::thread::sleep(SHORT),
            }
        }
    }

    /// Makes a standby of it, at the same address: it answers reads and takes no writes, until
    /// `SELECT pg_promote()`.
    ///
    /// # Errors
    /// [`Error`] if it does not stop or does not start.
    pub fn stand_by(&self) -> Result<(), Error> {
        self.stop()?;
        self.running.folder.write("data/standby.signal", "")?;
        self.resume()
    }

    /// Fills its disk to the last byte; see [`Settings::disk`].
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

    /// Gives the room on its disk back.
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
        // What cannot be done now, the guardian does.
        let _ = self.end("QUIT");
        let _ = fs::remove_dir_all(&self.running.folder.path);
    }
}
