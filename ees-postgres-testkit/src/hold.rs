//! A transaction that is kept open.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::Error;

/// The line that `psql` prints after the statements have run.
const DONE: &str = "ees-postgres-testkit: done";

/// An open transaction. Dropping it kills its process, and PostgreSQL rolls it back.
#[derive(Debug)]
pub struct Held {
    process: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Held {
    pub(crate) fn begin(mut psql: Command, statements: &str) -> Result<Self, Error> {
        psql.stdin(Stdio::piped()).stdout(Stdio::piped());
        let spawned = psql.stderr(Stdio::piped()).spawn();
        let mut process = spawned.map_err(|source| spawn_error(&psql, source))?;
        let pipes = (process.stdin.take(), process.stdout.take());
        let (Some(stdin), Some(stdout)) = pipes else {
            return Err(failed("it has no pipes".to_owned()));
        };
        let mut held = Self {
            process,
            stdin,
            stdout: BufReader::new(stdout),
        };
        held.run(&format!("BEGIN;\n{statements}"))?;
        Ok(held)
    }

    /// Runs further statements in the transaction. Returns their result like [`Database::sql`].
    ///
    /// [`Database::sql`]: crate::Database::sql
    ///
    /// # Errors
    /// [`Error::Failed`] with the error of PostgreSQL. The transaction has then ended.
    pub fn run(&mut self, statements: &str) -> Result<String, Error> {
        // A failed write is detected when the answer is read.
        let _ = writeln!(self.stdin, "{statements};\n\\echo {DONE}");
        let _ = self.stdin.flush();
        let mut said = String::new();
        while !said.ends_with(&format!("{DONE}\n")) {
            let read = self.stdout.read_line(&mut said);
            if !matches!(read, Ok(1..)) {
                return Err(failed(self.last_words()));
            }
        }
        let answer = said.trim_end().trim_end_matches(DONE);
        Ok(answer.trim_end().to_owned())
    }

    /// Commits.
    ///
    /// # Errors
    /// [`Error::Failed`] with the error of PostgreSQL.
    pub fn commit(mut self) -> Result<(), Error> {
        self.run("COMMIT").map(drop)
    }

    /// Rolls back.
    ///
    /// # Errors
    /// [`Error::Failed`] with the error of PostgreSQL.
    pub fn rollback(mut self) -> Result<(), Error> {
        self.run("ROLLBACK").map(drop)
    }

    fn last_words(&mut self) -> String {
        let mut said = String::new();
        if let Some(stderr) = self.process.stderr.as_mut() {
            let _ = stderr.read_to_string(&mut said);
        }
        said.trim().to_owned()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn_error(psql: &Command, source: std::io::Error) -> Error {
    Error::Spawn {
        program: psql.get_program().to_string_lossy().into_owned(),
        source,
    }
}

fn failed(said: String) -> Error {
    Error::Failed {
        program: "psql".to_owned(),
        said,
    }
}
