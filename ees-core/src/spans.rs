//! The spans of the core. It makes them through the facade `tracing`, and they cost next to nothing
//! until a host installs a subscriber that wants them. They name no stream.

use tracing::field::Empty;
use tracing::{Span, info_span};

use crate::Error;
use crate::ports::Topic;

/// The target of all spans of the store, by which a host selects them.
pub const SPANS: &str = "ees::spans";

/// A commit, as a use case. Not entered: what belongs to it names it.
pub(crate) fn commit(storage: &'static str) -> Span {
    info_span!(target: SPANS, "commit", storage, outcome = Empty, otel.status_code = Empty)
}

/// Ends the span of a commit.
pub(crate) fn committed<T>(span: &Span, outcome: &'static str, result: &Result<T, Error>) {
    span.record("outcome", outcome);
    if let Err(Error::Storage(_)) = result {
        span.record("otel.status_code", "ERROR");
    }
}

/// A call of the storage, for a commit.
pub(crate) fn write(commit: &Span) -> Span {
    info_span!(target: SPANS, parent: commit, "storage", call = "commit")
}

/// A call of the storage.
pub(crate) fn read(call: &'static str) -> Span {
    info_span!(target: SPANS, "storage", call)
}

/// The writing of a batch of commits. It serves several requests, so it is a trace of its own, with
/// links to the calls that it answers.
pub(crate) fn batch<'a>(calls: impl ExactSizeIterator<Item = &'a Span>) -> Span {
    let span = info_span!(target: SPANS, parent: None, "batch", commits = calls.len());
    if !span.is_disabled() {
        calls.for_each(|call| {
            span.follows_from(call);
        });
    }
    span
}

/// A call of the publisher.
pub(crate) fn publish(topic: Topic, messages: usize) -> Span {
    let topic = match topic {
        Topic::Changesets => "changesets",
        Topic::Events => "events",
    };
    info_span!(target: SPANS, parent: None, "publish", topic, messages)
}
