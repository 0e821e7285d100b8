//! Structured logs, on standard output, which Lambda keeps. They hold no payload.

use tracing::Level;
use tracing_subscriber::filter::{Targets, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::Failure;

/// Whose logs are known to hold no payload, whatever the level.
const OURS: &str = "ees_";

/// Starts logging, for the whole process. Of other crates nothing below `info` is logged, whatever
/// the filter says: they may log requests and answers.
///
/// # Errors
/// [`Failure::Settings`] if the filter cannot be read.
pub(crate) fn start(filter: &str) -> Result<(), Failure> {
    let wrong = |error| Failure::Settings(format!("EES_LOG=`{filter}`: {error}"));
    let wanted: Targets = filter.parse().map_err(wrong)?;
    let harmless =
        filter_fn(|about| about.target().starts_with(OURS) || *about.level() <= Level::INFO);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_span_list(false);
    let started = tracing_subscriber::registry()
        .with(wanted)
        .with(harmless)
        .with(lines)
        .try_init();
    started.map_err(|error| Failure::Settings(format!("logging cannot start: {error}")))
}
