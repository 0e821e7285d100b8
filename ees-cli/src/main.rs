//! The `ees` binary.

use std::process::ExitCode;

use ees_cli::args::Cli;

/// Memory of clients that have gone goes back to the system, by threads of the allocator's own.
#[cfg(all(target_os = "linux", feature = "jemalloc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

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
