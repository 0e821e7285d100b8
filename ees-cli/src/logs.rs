//! Structured logs on standard error. They contain no payload and no query. Lines about requests
//! contain no stream id either.

use std::io::IsTerminal;

use ees_core::SPANS;
use tracing_subscriber::filter::{FilterExt, LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::Failure;
use crate::args::LogFormat;

/// The punctuation of filter directives.
const SYNTAX: [char; 5] = ['=', '[', ']', '{', '}'];

/// What follows the events and spans of the process beside the log.
pub(crate) type Follower = Box<dyn Layer<Registry> + Send + Sync>;

/// Starts logging, for the whole process.
///
/// # Errors
/// [`Failure::Usage`] if the filter cannot be read.
pub(crate) fn start(
    filter: &str,
    format: LogFormat,
    follower: Option<Follower>,
) -> Result<(), Failure> {
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
    // The spans of the store are for traces alone.
    let filter = filter.and(filter_fn(|about| about.target() != SPANS));
    let logs = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(false);
    let all = tracing_subscriber::registry().with(follower);
    let started = match format {
        LogFormat::Text => {
            let text = logs.with_ansi(std::io::stderr().is_terminal());
            all.with(text.with_filter(filter)).try_init()
        }
        LogFormat::Json => {
            let json = logs.json().flatten_event(true);
            all.with(json.with_filter(filter)).try_init()
        }
    };
    started.map_err(|error| Failure::Run(format!("logging cannot start: {error}")))
}
