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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::{Arc, Mutex};

    use async_trait::async_trait;
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    use super::*;
    use crate::adapter::{Message, PublishError, PublishLimits, Publisher};
    use crate::publication::Publication;
    use crate::{Changeset, ChangesetId, CommitId, EventId, Events, Json, StreamId, Timestamp};

    /// Records the names of spans, as they begin.
    #[derive(Default, Clone)]
    struct Names(Arc<Mutex<Vec<&'static str>>>);

    impl Subscriber for Names {
        fn enabled(&self, about: &Metadata<'_>) -> bool {
            about.target() == SPANS
        }

        fn new_span(&self, span: &Attributes<'_>) -> Id {
            let mut names = self.0.lock().unwrap();
            names.push(span.metadata().name());
            Id::from_u64(u64::try_from(names.len()).unwrap())
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, _: &Event<'_>) {}
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    struct Accepting;

    #[async_trait]
    impl Publisher for Accepting {
        fn topics(&self) -> &[Topic] {
            &[Topic::Changesets, Topic::Events]
        }

        fn limits(&self) -> PublishLimits {
            PublishLimits {
                messages: 10,
                batch_bytes: 256 * 1024,
                message_bytes: 256 * 1024,
            }
        }

        async fn publish(&self, _: Topic, batch: &[Message]) -> Vec<Result<(), PublishError>> {
            batch.iter().map(|_| Ok(())).collect()
        }
    }

    fn publish_a_changeset() {
        let mut publication = Publication::new(Arc::new(Accepting));
        publication.add(Changeset {
            stream_id: StreamId::new("s").unwrap(),
            changeset_id: ChangesetId::new(1).unwrap(),
            first_event_id: EventId::new(1).unwrap(),
            last_event_id: EventId::new(1).unwrap(),
            timestamp: Timestamp::now(),
            commit_id: CommitId::new("c").unwrap(),
            set: None,
            events: Events::parse("[1]").unwrap(),
            metadata: Json::parse("{}").unwrap(),
            checkpoint: None,
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(publication.run());
    }

    #[test]
    fn each_call_of_the_publisher_is_a_span() {
        // A subscriber that begins while another thread meets a span for the first time may miss the span
        // for ever. So the span is met before.
        publish_a_changeset();
        let names = Names::default();
        let _following = tracing::subscriber::set_default(names.clone());
        publish_a_changeset();
        assert_eq!(*names.0.lock().unwrap(), ["publish", "publish"]);
    }
}
