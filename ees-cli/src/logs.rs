//! Structured logs on standard error. They contain no payload and no query. Lines about requests
//! contain no stream id either.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::Failure;
use crate::args::LogFormat;

/// The punctuation of filter directives.
const SYNTAX: [char; 5] = ['=', '[', ']', '{', '}'];

/// Starts logging, for the whole process.
///
/// # Errors
/// [`Failure::Usage`] if the filter cannot be read.
pub fn start(filter: &str, format: LogFormat) -> Result<(), Failure> {
    // The parser takes a lone word that is not a level as a module name, and silences all others.
    let is_wrong = |part: &&str| !part.contains(SYNTAX) && part.parse::<LevelFilter>().is_err();
    if let Some(word) = filter.split(',').find(is_wrong) {
        return Err(Failure::Usage(format!(
            "`--log {filter}`: `{word}` is not a level; expected error, warn, info, debug, trace or \
             off, or a module with its level, as ees_http=debug"
        )));
    }
    let filter = EnvFilter::try_new(filter)
        .map_err(|error| Failure::Usage(format!("`--log {filter}`: {error}")))?;
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false);
    let started = match format {
        LogFormat::Text => logs.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => logs.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| Failure::Run(format!("logging cannot start: {error}")))
}
