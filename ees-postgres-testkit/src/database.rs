//! A database of one's own.

use std::fmt;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::hold::Held;
use crate::running::Running;
use crate::{Error, shared};

/// A fresh, empty database, which is dropped with this.
#[derive(Debug)]
pub struct Database {
    running: Arc<Running>,
    name: String,
}

impl Database {
    /// Makes a database on a server that all test processes share, which is started if it does
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
        // A process of another time may have had the number.
        let create = format!("CREATE DATABASE {name} TEMPLATE template0");
        if running.sql("postgres", &create).is_err() {
            running.sql("postgres", &drop_database(&name))?;
            running.sql("postgres", &create)?;
        }
        Ok(Self { running, name })
    }

    /// How to connect to it as a superuser: `postgres://postgres:...@127.0.0.1:.../...`.
    pub fn url(&self) -> String {
        self.url_of("postgres", &self.running.password)
    }

    /// How to connect to it as somebody else.
    pub fn url_of(&self, user: &str, password: &str) -> String {
        let (port, name) = (self.running.port, &self.name);
        format!("postgres://{user}:{password}@127.0.0.1:{port}/{name}")
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs statements as a superuser; what they answered, a line a row, with `|` between columns.
    ///
    /// # Errors
    /// [`Error::Failed`] with what PostgreSQL said.
    pub fn sql(&self, statements: &str) -> Result<String, Error> {
        self.running.sql(&self.name, statements)
    }

    /// Begins a transaction, runs statements in it, and holds it open.
    ///
    /// # Errors
    /// [`Error::Failed`] with what PostgreSQL said.
    pub fn hold(&self, statements: &str) -> Result<Held, Error> {
        Held::begin(self.running.psql(&self.name), statements)
    }

    /// Cuts all connections to it, whatever they are doing; how many.
    ///
    /// # Errors
    /// [`Error::Failed`] with what PostgreSQL said.
    pub fn cut_connections(&self) -> Result<u64, Error> {
        let cut = format!(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE datname = '{}' AND backend_type = 'client backend'",
            self.name
        );
        let said = self.running.sql("postgres", &cut)?;
        Ok(said.parse().unwrap_or_default())
    }

    /// The command of another of PostgreSQL's programs (`pg_dump`, `pg_restore`, `psql`), with
    /// what it needs to connect to this database in its environment.
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
        // It waits a few seconds for those it throws out. If it cannot be dropped at all, it goes
        // with the server.
        let drop = || self.running.sql("postgres", &drop_database(&self.name));
        let _ = (0..10).any(|_| drop().is_ok());
    }
}

fn drop_database(name: &str) -> String {
    format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")
}
