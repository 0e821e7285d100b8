//! The command line. Each flag has an environment variable; the flag wins.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::{StringValueParser, TypedValueParser};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::failure::EXIT_CODES;

/// The storages that a URL may name.
const STORAGE_URLS: &str = "\
Storage URLs:
  sqlite:PATH   one durable file, made if it is missing
                  ?max_changeset_bytes=N  the largest changeset [16777216]
                  ?readers=N              reads at the same time [4]
  postgres://USER:PASSWORD@HOST:PORT/DATABASE
                a schema of a database, made if it is missing; any number of
                servers may use it at once
                  ?schema=NAME            the schema [ees]
                  ?max_changeset_bytes=N  the largest changeset [16777216]
                  ?readers=N              reads at the same time [8]
                and PostgreSQL's own parameters (sslmode, sslrootcert, ...).
                PGPASSWORD or ~/.pgpass keep the password off the command line
  dynamodb://TABLE   Amazon DynamoDB; `ees admin create-tables` makes the tables
                  ?analysis=TABLE   the second table [TABLE_analysis]
                  ?region=REGION    [that of the environment]
                  ?endpoint=URL     an emulator, as http://127.0.0.1:8000
  memory:       nothing is kept; for trying things out and for tests";

/// An event store: streams of changesets with optimistic concurrency and one global order, over
/// HTTP.
///
/// Without a command it serves: by default the file ./ees.db on 127.0.0.1:8080.
#[derive(Debug, Parser)]
#[command(name = "ees", version, after_help = after_help(), args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do; `serve` if nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The flags of `serve`.
    #[command(flatten)]
    pub serve: ServeArgs,
}

impl Cli {
    /// Reads the command line and the environment, or ends the process and says why. A variable
    /// that is set to nothing is as good as unset.
    pub fn read() -> Self {
        let matches = without_empty_variables(Self::command()).get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// What `--help` ends with.
fn after_help() -> String {
    let codes = EXIT_CODES.iter();
    let codes: Vec<_> = codes
        .map(|(code, meaning)| format!("  {code}  {meaning}"))
        .collect();
    format!("{STORAGE_URLS}\n\nExit codes:\n{}", codes.join("\n"))
}

fn without_empty_variables(command: clap::Command) -> clap::Command {
    let is_empty = |argument: &clap::Arg| {
        let value = argument.get_env().and_then(std::env::var_os);
        value.is_some_and(|value| value.is_empty())
    };
    let unset = |argument: clap::Arg| match argument {
        empty if is_empty(&empty) => empty.env(None),
        other => other,
    };
    command
        .mut_args(unset)
        .mut_subcommands(without_empty_variables)
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the REST API until SIGINT or SIGTERM.
    #[command(after_help = after_help())]
    Serve(ServeArgs),
    /// Copy a store into a new file while it is in use.
    ///
    /// The copy holds all that was acknowledged when it begins, and has passed an integrity check
    /// before it gets its name. To restore: stop the server, remove the store's file and its -wal
    /// and -shm files, put the copy in its place, start the server.
    Backup(BackupArgs),
    /// Make, mend and look at a store's tables (dynamodb).
    Admin(AdminArgs),
}

/// The flags of `ees serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Where changesets are kept
    #[arg(
        long,
        value_name = "URL",
        env = "EES_STORAGE",
        default_value = "sqlite:./ees.db",
        value_parser = StringValueParser::new().map(lower_scheme)
    )]
    pub storage: String,
    /// Where to listen; port 0 takes a free one
    #[arg(
        long,
        value_name = "ADDR",
        env = "EES_LISTEN",
        default_value = "127.0.0.1:8080",
        value_parser = address
    )]
    pub listen: SocketAddr,
    /// Listen on an address that other machines reach, although there is no authentication yet:
    /// whoever reaches it can read and append everything
    #[arg(long, env = "EES_ALLOW_UNAUTHENTICATED_REMOTE")]
    pub allow_unauthenticated_remote: bool,
    /// How many requests may run at once; more get 503 OVERLOADED
    #[arg(long, value_name = "N", env = "EES_MAX_REQUESTS", default_value = "512",
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_requests: u32,
    /// How long a request may take, in seconds; longer than the longest long poll
    #[arg(long, value_name = "SECONDS", env = "EES_REQUEST_TIMEOUT", default_value = "30",
          value_parser = clap::value_parser!(u32).range(21..=3600))]
    pub request_timeout: u32,
    /// Whether this server gives changesets their place in the global order, and counts statistics,
    /// where the storage does not order at commit time (dynamodb); off where functions do
    #[arg(long, value_name = "SWITCH", env = "EES_INDEXER", default_value = "on")]
    pub indexer: Switch,
    /// Hours between two scans of such a storage for what got no place; 0 for none but those that
    /// a gap in what the storage told makes necessary
    #[arg(long, value_name = "N", env = "EES_SWEEP_HOURS", default_value = "24",
          value_parser = clap::value_parser!(u32).range(0..=8760))]
    pub sweep_hours: u32,
    /// Tell subscribers what is committed: `sns:changesets=ARN&events=ARN`. On one server of a
    /// store only; several would send everything several times
    #[arg(long, value_name = "URL", env = "EES_PUBLISH")]
    pub publish: Option<String>,
    /// Where publishing begins that never ran; afterwards it goes on where it was
    #[arg(
        long,
        value_name = "WHERE",
        env = "EES_PUBLISH_FROM",
        default_value = "start",
        requires = "publish"
    )]
    pub publish_from: PublishFrom,
    /// What is logged to standard error: a level (error, warn, info, debug) or filter directives
    #[arg(long, value_name = "FILTER", env = "EES_LOG", default_value = "info")]
    pub log: String,
    /// How log lines look
    #[arg(
        long,
        value_name = "FORMAT",
        env = "EES_LOG_FORMAT",
        default_value = "text"
    )]
    pub log_format: LogFormat,
}

/// Whether something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// It is.
    On,
    /// It is not.
    Off,
}

/// Where publishing begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PublishFrom {
    /// With the first changeset of the store.
    Start,
    /// With the next one that is committed.
    Now,
}

impl From<PublishFrom> for ees_workers::PublishFrom {
    fn from(from: PublishFrom) -> Self {
        match from {
            PublishFrom::Start => Self::Start,
            PublishFrom::Now => Self::Now,
        }
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// The flags of `ees backup`.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The file to write; it must not exist
    pub file: PathBuf,
    /// The store to copy
    #[arg(
        long,
        value_name = "URL",
        env = "EES_STORAGE",
        default_value = "sqlite:./ees.db",
        value_parser = StringValueParser::new().map(lower_scheme)
    )]
    pub storage: String,
}

/// The flags of `ees admin`.
#[derive(Debug, Args)]
pub struct AdminArgs {
    /// What to do.
    #[command(subcommand)]
    pub act: AdminAct,
    /// The store
    #[arg(
        long,
        value_name = "URL",
        env = "EES_STORAGE",
        default_value = "sqlite:./ees.db",
        value_parser = StringValueParser::new().map(lower_scheme),
        global = true
    )]
    pub storage: String,
    /// Print the result as one JSON document
    #[arg(long, global = true)]
    pub json: bool,
}

/// What an operator does.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum AdminAct {
    /// Make the tables that are missing, and check those that are there. Safe to repeat.
    CreateTables,
    /// Scan for changesets that never got a place in the global order, and give them one. Safe at
    /// any time, beside any other indexer.
    Sweep,
    /// Tell how far the global order has come.
    IndexStatus,
    /// Make the index state anew from the places that changesets have, by a scan of the table.
    ///
    /// For a store whose state was lost, or whose tables were restored. Stop all indexers first.
    RebuildIndex {
        /// Look and tell, but change nothing
        #[arg(long)]
        dry_run: bool,
        /// Put a new state in the place of the one that is there
        #[arg(long)]
        replace: bool,
        /// Go on although changesets have a place and others before them in their stream have none
        #[arg(long)]
        accept_disorder: bool,
    },
    /// Take over a table that the Python original made and filled.
    ///
    /// Stop the original first; from then on it cannot go on with this table.
    TakeOver {
        /// Look and tell, but change nothing
        #[arg(long)]
        dry_run: bool,
        /// Go on although changesets have a place and others before them in their stream have none
        #[arg(long)]
        accept_disorder: bool,
        /// How long its functions may go on once they get no more places; at least their timeout
        #[arg(long, value_name = "SECONDS", default_value_t = 90)]
        wait_seconds: u64,
    },
}

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    let wrong = "expected IP:PORT, as 127.0.0.1:8080; names are not looked up";
    text.parse().map_err(|_| wrong)
}

/// Schemes mean the same in any case.
fn lower_scheme(mut url: String) -> String {
    let scheme = url.find(':').unwrap_or(0);
    url[..scheme].make_ascii_lowercase();
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_of_serve_has_an_environment_variable() {
        for argument in Cli::command().get_arguments() {
            let name = argument.get_id().as_str();
            let variable = argument
                .get_env()
                .map(|name| name.to_string_lossy().into_owned());
            let expected = format!("EES_{}", name.to_uppercase());
            assert!(
                variable == Some(expected) || ["help", "version"].contains(&name),
                "{name}"
            );
        }
    }
}
