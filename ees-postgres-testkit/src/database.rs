//! A database for one test.

use std::fmt;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::hold::Held;
use crate::running::Running;
use crate::{Error, shared};

/// A new, empty database. Dropping this value drops the database.
#[derive(Debug)]
pub struct Database {
    running: Arc<Running>,
    name: String,
}

impl Database {
    /// Creates a database on the server that all test processes share. Starts the server if it does
    /// not run.
    ///
    /// # Errors
    /// [`Error`] if there is no PostgreSQL on this machine or it does not start.
    pub fn fresh() -> Result<Self, Error> {
        Self::create(shared::server()?)
    }

    pub(crate) fn create(running: Arc<Running>) -> Result<Self, Error> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{count}", process::id());
        // An earlier process with the same id may have left a database of this name.
        let create = format!("CREATE DATABASE {name} TEMPLATE template0");
        if running.sql("postgres", &create).is_err() {
            running.sql("postgres", &drop_database(&name))?;
            running.sql("postgres", &create)?;
        }
        Ok(Self { running, name })
    }

    /// The URL for a superuser: `postgres://postgres:...@127.0.0.1:.../...`.
    pub fn url(&self) -> String {
        self.url_of("postgres", &self.running.password)
    }

    /// The URL for another user.
    pub fn url_of(&self, user: &str, password: &str) -> String {
        let (port, name) = (self.running.port, &self.name);
        format!("postgres://{user}:{password}@127.0.0.1:{port}/{name}")
    }

    /// The name of the database.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs statements as a superuser. Returns their result with one line for each row and `|`
    /// between columns.
    ///
    /// # Errors
    /// [`Error::Failed`] with the error of PostgreSQL.
    pub fn sql(&self, statements: &str) -> Result<String, Error> {
        self.running.sql(&self.name, statements)
    }

    /// Begins a transaction, runs statements in it, and keeps it open.
    ///
    /// # Errors
    /// [`Error::Failed`] with the error of PostgreSQL.
    pub fn hold(&self, statements: &str) -> Result<Held, Error> {
        Held::begin(self.running.psql(&self.name), statements)
    }

    /// Terminates all connections to the database, whatever they are doing. Returns their number.
    ///
    /// # Errors
    /// [`Error::Failed`] with the error of PostgreSQL.
    pub fn cut_connections(&self) -> Result<u64, Error> {
        let cut = format!(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE datname = '{}' AND backend_type = 'client backend'",
            self.name
        );
        let said = self.running.sql("postgres", &cut)?;
        Ok(said.parse().unwrap_or_default())
    }

    /// A command of another PostgreSQL program (`pg_dump`, `pg_restore`, `psql`). Its environment
    /// has what it needs to connect to this database.
    pub fn command(&self, program: &str) -> process::Command {
        let mut command = process::Command::new(self.running.machine.program(program));
        command.env_clear().env("LC_ALL", "C");
        command.env("PGHOST", "127.0.0.1").env("PGUSER", "postgres");
        command.env("PGPORT", self.running.port.to_string());
        command.env("PGPASSWORD", &self.running.password);
        command.env("PGDATABASE", &self.name);
        command
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // `DROP DATABASE` waits a few seconds for the sessions that it terminates. If the database
        // cannot be dropped, it is removed together with the server.
        let drop = || self.running.sql("postgres", &drop_database(&self.name));
        let _ = (0..10).any(|_| drop().is_ok());
    }
}

fn drop_database(name: &str) -> String {
    format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")
}
