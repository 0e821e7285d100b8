//! The command line. Each flag has an environment variable; the flag wins.

mod consumers;
mod keys;
mod log;
mod moving;
mod remote;
mod scheme;
mod serve;
mod storage;

use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::exit_codes::EXIT_CODES;

pub use consumers::{ConsumersAct, ConsumersArgs};
pub use keys::{KeysAct, KeysAdd, KeysArgs, KeysList, KeysRevoke};
pub use log::{LogAct, LogArgs, LogKeygen, LogVerifyProof, LogVkey};
pub use moving::{CopyArgs, ExportArgs, ImportArgs, VerifyArgs};
pub use remote::{AccessArgs, RemoteArgs};
pub use serve::{LogFormat, PublishFrom, ServeArgs, Switch};
pub use storage::StorageArgs;

/// The storages that a URL may name.
const STORAGE_URLS: &str = "\
Storage URLs:
  sqlite:PATH   one durable file, created if it is missing
                  ?max_changeset_bytes=N  the largest changeset [16777216]
                  ?readers=N              concurrent reads [4]
  postgres://USER:PASSWORD@HOST:PORT/DATABASE
                a schema of a database, created if it is missing; any number of
                servers can use it at the same time
                  ?schema=NAME            the schema [ees]
                  ?max_changeset_bytes=N  the largest changeset [16777216]
                  ?readers=N              concurrent reads [8]
                and PostgreSQL's own parameters (sslmode, sslrootcert, ...).
                Use PGPASSWORD or ~/.pgpass to keep the password off the
                command line
  dynamodb://TABLE   Amazon DynamoDB; `ees admin create-tables` creates the tables
                  ?analysis=TABLE   the second table [TABLE_analysis]
                  ?region=REGION    the AWS region [from the environment]
                  ?endpoint=URL     an emulator, as http://127.0.0.1:8000
  memory:       keeps nothing after the process ends; for tests and for trying
                things out";

/// An event store with an HTTP API: streams of changesets with optimistic concurrency, and one
/// global order.
///
/// Without a command it serves the file ./ees.db on 127.0.0.1:8080.
#[derive(Debug, Parser)]
#[command(name = "ees", version, after_help = SHORT_HELP, after_long_help = after_help(), args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// The command; `serve` if there is none.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The flags of `serve`.
    #[command(flatten)]
    pub serve: ServeArgs,
}

impl Cli {
    /// The format in which a failure is told: that of the log, for a server.
    pub fn failure_format(&self) -> LogFormat {
        match &self.command {
            None => self.serve.log_format,
            Some(Command::Serve(args)) => args.log_format,
            Some(_) => LogFormat::Text,
        }
    }

    /// Reads the command line and the environment. If they are wrong, prints why and ends the
    /// process. An empty variable counts as unset.
    pub fn read() -> Self {
        let matches = with_environment(Self::command()).try_get_matches();
        let matches = matches.unwrap_or_else(|error| wrong(&error));
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// Ends the process because of its command line. `ees verify` has exit codes of its own, in which the
/// usual one would say that something is missing.
fn wrong(error: &clap::Error) -> ! {
    let is_verify = std::env::args_os()
        .nth(1)
        .is_some_and(|command| command == "verify");
    if is_verify && error.use_stderr() {
        let _ = error.print();
        std::process::exit(3);
    }
    error.exit()
}

/// The last part of `-h`, which fits a screen.
const SHORT_HELP: &str = "\
Storage URLs: sqlite:PATH, postgres://USER@HOST/DATABASE, dynamodb://TABLE, memory:
`--help` tells their settings, the environment variables and the exit codes.";

/// The last part of `--help`.
fn after_help() -> String {
    let codes = EXIT_CODES.iter();
    let codes: Vec<_> = codes
        .map(|(code, meaning)| format!("  {code}  {meaning}"))
        .collect();
    format!("{STORAGE_URLS}\n\nExit codes:\n{}", codes.join("\n"))
}

/// The command without variables that are empty, and with help that hides the values of all others:
/// the URL of a storage may have a password.
fn with_environment(command: clap::Command) -> clap::Command {
    let is_empty = |argument: &clap::Arg| {
        let value = argument.get_env().and_then(std::env::var_os);
        value.is_some_and(|value| value.is_empty())
    };
    let unset = |argument: clap::Arg| match argument {
        empty if is_empty(&empty) => empty.env(None),
        other => other.hide_env_values(true),
    };
    command.mut_args(unset).mut_subcommands(with_environment)
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the REST API until SIGINT or SIGTERM.
    #[command(after_help = SHORT_HELP, after_long_help = after_help())]
    Serve(ServeArgs),
    /// Copy a store into a new file while it is in use.
    ///
    /// The copy holds every changeset that was acknowledged before the backup began. It gets its
    /// name after it has passed an integrity check. `ees restore` puts it in place of a store.
    Backup(BackupArgs),
    /// Put a copy in place of a store that nobody serves.
    ///
    /// The copy is checked, and gets a new store id, so that readers that are ahead of it learn to go
    /// back. The old file is kept under another name, with its -wal and -shm files.
    Restore(RestoreArgs),
    /// Write a store into a file that another storage can be made of, while it is in use.
    ///
    /// The file has every changeset with all its fields, how far subscriptions and consumers have come,
    /// and the root of the Merkle tree over it, by which `ees import` finds any change. It is lines of
    /// JSON.
    Export(ExportArgs),
    /// Write an export into a store that is empty, or that has a beginning of it.
    ///
    /// Everything is kept: ids, times, idempotency keys and checkpoints. An import that was stopped is
    /// repeated, and goes on. Before it says that it is done, it has read everything back.
    Import(ImportArgs),
    /// Copy a store into another one while it is in use: an export and an import at once.
    ///
    /// With --fence it is a move without loss: nothing that was acknowledged is left behind.
    Copy(CopyArgs),
    /// Verify that a store has what its log was made of, reading everything once.
    ///
    /// Exit code 0: all is as it should be. 1: something is altered; the first differing checkpoint is
    /// named. 2: something is missing. 3: it could not be verified. It remembers the ends of the last
    /// million streams, in about 70 MB; a changeset of another stream costs one read more.
    Verify(VerifyArgs),
    /// Give a store a new id; create, inspect and repair a store's tables (DynamoDB).
    Admin(AdminArgs),
    /// Make, list and revoke the keys of clients.
    Keys(KeysArgs),
    /// Make keys that sign the verifiable log, and verify its proofs.
    Log(LogArgs),
    /// Ask a server whether it is well. Exit code 1 says that it is not.
    Check(RemoteArgs),
    /// Show the consumers of a server, and retry, skip or reset what they could not handle.
    Consumers(ConsumersArgs),
    /// Print the completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write a man page for each command into a folder.
    Man {
        /// The folder; created if it is missing.
        folder: PathBuf,
    },
}

/// The flags of `ees backup`.
#[derive(Debug, Args)]
#[command(mut_arg("storage", |arg| arg.help("The store to copy")))]
pub struct BackupArgs {
    /// The file to write; it must not exist
    pub file: PathBuf,
    /// The store.
    #[command(flatten)]
    pub storage: StorageArgs,
}

/// The flags of `ees restore`.
#[derive(Debug, Args)]
#[command(mut_arg("storage", |arg| arg.help("The store to replace")))]
pub struct RestoreArgs {
    /// The copy, as `ees backup` makes it; it stays as it is
    pub file: PathBuf,
    /// The store.
    #[command(flatten)]
    pub storage: StorageArgs,
}

/// The flags of `ees admin`.
#[derive(Debug, Args)]
#[command(mut_arg("storage", |arg| arg.global(true)))]
pub struct AdminArgs {
    /// The task.
    #[command(subcommand)]
    pub act: AdminAct,
    /// The store.
    #[command(flatten)]
    pub storage: StorageArgs,
    /// Print the result as one JSON document
    #[arg(long, global = true)]
    pub json: bool,
}

/// A task of an operator.
#[derive(Debug, Clone, Subcommand)]
pub enum AdminAct {
    /// Give the store a new id, so that readers that are ahead of it learn to go back.
    ///
    /// For a store that was restored from a copy, or lost commits in a failover. Stop all servers of
    /// the store first, and run it before anything is committed to the restored store. `ees restore`
    /// does it by itself, and so does opening restored DynamoDB tables.
    NewStoreId,
    /// Let a store accept no more commits: it has moved. Its server may run.
    ///
    /// Clients get 503 `STORE_FENCED` with the new address. Reads go on. `ees copy --fence` does it at the
    /// right moment.
    Fence {
        /// Where the store is now, as `https://events.example.com`
        address: String,
    },
    /// Let a store accept commits again that had a fence.
    LiftFence,
    /// Create the missing tables and check the existing ones. Safe to repeat.
    CreateTables {
        /// Whether streams have local indexes by event; without them a commit costs two write units less
        #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set)]
        local_indexes: bool,
        /// How many positions share a page of the global index, 1 to 1000
        #[arg(long, value_name = "POSITIONS", default_value_t = 100,
            value_parser = clap::value_parser!(u64).range(1..=1000))]
        index_page: u64,
    },
    /// Scan for changesets without a position in the global order, and assign one. Safe at any time,
    /// also while other indexers run.
    Sweep,
    /// Show the progress of the global order.
    IndexStatus,
    /// Rebuild the index state from the positions that changesets have, by a scan of the table.
    ///
    /// For a store whose state was lost or whose tables were restored. Stop all indexers first.
    RebuildIndex {
        /// Print the result without changing anything
        #[arg(long)]
        dry_run: bool,
        /// Replace the existing state
        #[arg(long)]
        replace: bool,
        /// How many positions share a page of the global index, if the table was created with a number
        /// of its own and the state was lost
        #[arg(long, value_name = "POSITIONS",
            value_parser = clap::value_parser!(u64).range(1..=1000))]
        index_page: Option<u64>,
        /// Continue even if a changeset has a position and an earlier one of its stream has none
        #[arg(long)]
        accept_disorder: bool,
    },
    /// Write the markers of clients' idempotency keys, by a scan of the table.
    ///
    /// Run it once after all servers were upgraded from a version without markers. The store may be
    /// used meanwhile.
    RebuildKeys,
    /// Take over a table of the Python original.
    ///
    /// Stop the original first. It cannot use the table afterwards.
    TakeOver {
        /// Print the result without changing anything
        #[arg(long)]
        dry_run: bool,
        /// Continue even if a changeset has a position and an earlier one of its stream has none
        #[arg(long)]
        accept_disorder: bool,
        /// How long to wait until the original's functions have ended; at least their timeout
        #[arg(long, value_name = "SECONDS", default_value_t = 90)]
        wait_seconds: u64,
    },
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
