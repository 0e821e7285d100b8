//! The parts of the `ees` binary: the command line, the server, backup, restore, keys, the
//! verifiable log and administration.

pub mod admin;
pub mod args;
pub mod backup;
pub mod check;
pub mod consumers;
pub mod copy;
pub mod export;
pub mod generated;
pub mod import;
pub mod keys;
pub mod log;
pub mod restore;
pub mod server;
pub mod verify;

mod client;
#[cfg(feature = "otlp")]
mod collector;
mod existing;
mod exit_codes;
mod failure;
mod logs;
mod metrics;
mod moving;
mod progress;
mod shown;
mod told;
#[cfg(feature = "otlp")]
mod traces;
mod transport;
mod watched;

pub use failure::Failure;

use args::{Cli, Command};

/// Runs the command of the command line.
///
/// # Errors
/// [`Failure`] has the cause and the exit code.
pub async fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        None => server::run(&cli.serve).await,
        Some(Command::Serve(args)) => server::run(&args).await,
        Some(Command::Backup(args)) => backup::run(&args).await,
        Some(Command::Restore(args)) => restore::run(&args).await,
        Some(Command::Export(args)) => export::run(&args).await,
        Some(Command::Import(args)) => import::run(&args).await,
        Some(Command::Copy(args)) => Box::pin(copy::run(&args)).await,
        Some(Command::Verify(args)) => verify::run(&args).await,
        Some(Command::Admin(args)) => admin::run(&args).await,
        Some(Command::Keys(args)) => keys::run(&args),
        Some(Command::Log(args)) => log::run(&args).await,
        Some(Command::Check(args)) => check::run(&args).await,
        Some(Command::Consumers(args)) => consumers::run(&args).await,
        Some(Command::Completions { shell }) => {
            generated::completions(shell);
            Ok(())
        }
        Some(Command::Man { folder }) => generated::man_pages(&folder),
    }
}
