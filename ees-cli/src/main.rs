//! The `ees` binary.

use std::process::ExitCode;

use ees_cli::args::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    match ees_cli::run(Cli::read()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("ees: {failure}");
            failure.exit_code()
        }
    }
}
