//! The `ees-conformance` binary: checks the guarantees of a running deployment over its REST
//! contract.

mod access;
mod address;
mod args;
// A harness reports an error by a panic, as the cases do.
#[allow(clippy::expect_used)]
mod deployment;
mod report;
mod run;
mod selection;
mod table;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use args::Args;
use clap::Parser;
use clap::error::ErrorKind;
use deployment::Target;
use ees_conformance::cases::CASES;
use ees_conformance::http_cases::HTTP_CASES;
use report::{Report, guarantees};
use selection::Filter;

/// At least one case failed.
const FAILED: u8 = 1;
/// The deployment cannot be reached.
const UNREACHABLE: u8 = 3;

fn main() -> ExitCode {
    let args = Args::parse();
    let filter = Filter::new(&args.filter);
    if args.list {
        return list(&filter);
    }
    let Some(url) = &args.url else {
        usage("--url is missing");
    };
    let chosen = filter.choose();
    if chosen.is_empty() {
        usage("no case matches --filter; --list prints all cases");
    }
    let is_direct = access::is_direct(url, &args);
    let reasons = chosen
        .iter()
        .map(|runnable| selection::why_not(&runnable.case, is_direct));
    if let Some(why) = reasons.reduce(Option::and).flatten() {
        usage(&format!("nothing to run: {why}"));
    }
    let access = access::access(url, &args).unwrap_or_else(|reason| usage(&reason));
    let time_limit = Duration::from_secs(args.time_limit);
    let needs_log = chosen
        .iter()
        .any(|runnable| deployment::is_of_the_log(&runnable.case));
    let limit = args.max_changeset_bytes;
    let found = Target::find(url.as_str(), access, limit, time_limit, needs_log);
    let target = match found {
        Ok(target) => target,
        Err(reason) => {
            eprintln!("ees-conformance: {reason}");
            return ExitCode::from(UNREACHABLE);
        }
    };
    deployment::set(target);
    let results = run::all(&chosen, &args, is_direct);
    finish(&Report::new(url.as_str().to_owned(), results), &args)
}

/// Exits with code 2, as errors of the command line do.
fn usage(message: &str) -> ! {
    let mut command = <Args as clap::CommandFactory>::command();
    command.error(ErrorKind::InvalidValue, message).exit()
}

/// Prints the cases' names and guarantees.
fn list(filter: &Filter) -> ExitCode {
    let cases = CASES.iter().chain(HTTP_CASES);
    let lines: Vec<String> = cases
        .filter(|case| filter.takes(case))
        .map(|case| format!("{} {}\n", case.name, guarantees(case)))
        .collect();
    print(&lines.concat())
}

fn finish(report: &Report, args: &Args) -> ExitCode {
    let text = if args.json {
        report.json()
    } else {
        table::render(report)
    };
    let printed = print(&text);
    if report.failed() > 0 {
        return ExitCode::from(FAILED);
    }
    printed
}

/// Prints to standard output. Ignores errors, since the reader may have closed it.
fn print(text: &str) -> ExitCode {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ees-conformance: standard output: {error}");
            ExitCode::from(FAILED)
        }
    }
}
