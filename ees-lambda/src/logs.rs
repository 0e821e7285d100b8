//! Structured logs on standard output, which Lambda stores. They contain no payload.

use tracing::Level;
use tracing_subscriber::filter::{Targets, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::Failure;

/// The prefix of the crates that log no payload at any level.
const OURS: &str = "ees_";

/// Starts logging for the whole process. Other crates may log requests and answers below level
/// `info`, so the filter cannot enable these levels for them.
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
