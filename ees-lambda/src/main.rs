//! One binary for all functions. The name of the handler selects the function.
// The same limit as in the library.
#![recursion_limit = "256"]

use std::process::ExitCode;

use ees_lambda::{Settings, run};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let ran = match Settings::read(|name| std::env::var(name).ok()) {
        Ok(settings) => run(settings).await,
        Err(failure) => Err(failure),
    };
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("ees-lambda: {failure}");
            ExitCode::FAILURE
        }
    }
}
