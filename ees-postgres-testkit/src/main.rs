//! Runs a PostgreSQL server until standard input ends.

use std::io::{self, Write};
use std::process::ExitCode;

use ees_postgres_testkit::{Database, Error, Server};

const USAGE: &str = "\
usage: ees-postgres-testkit [--shared]

Starts a PostgreSQL server with one database, prints the database's URL, and removes both when
standard input ends. With --shared, the database is on the server that tests share, which runs with
fsync=off.";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let served = match words[..] {
        [] => own(),
        ["--shared"] => Database::fresh().and_then(|database| wait_beside(&database)),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ees-postgres-testkit: {error}");
            ExitCode::FAILURE
        }
    }
}

fn own() -> Result<(), Error> {
    let server = Server::start()?;
    wait_beside(&server.database()?)
}

fn wait_beside(database: &Database) -> Result<(), Error> {
    let served = writeln!(io::stdout(), "{}", database.url())
        .and_then(|()| io::copy(&mut io::stdin(), &mut io::sink()));
    served.map(drop).map_err(|source| Error::File {
        path: "standard input or output".into(),
        source,
    })
}
