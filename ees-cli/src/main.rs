//! The `ees` binary.

use std::process::ExitCode;

use ees_cli::args::Cli;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::read();
    let format = cli.failure_format();
    match ees_cli::run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{}", failure.line(format));
            failure.exit_code()
        }
    }
}
