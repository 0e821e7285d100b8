//! Each call of the publisher is a span.
//!
//! The test is a program of its own. A span that another thread meets for the first time while a
//! subscriber begins may be missed for ever by that subscriber.
// A test reports a failure by panicking.
#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use ees_core::adapter::{Message, PublishError, PublishLimits, Publisher, Topic};
use ees_core::publication::Publication;
use ees_core::{
    Changeset, ChangesetId, CommitId, EventId, Events, Json, SPANS, StreamId, Timestamp,
};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

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

#[tokio::test]
async fn each_call_of_the_publisher_is_a_span() {
    let names = Names::default();
    let _following = tracing::subscriber::set_default(names.clone());
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
    publication.run().await;
    assert_eq!(*names.0.lock().unwrap(), ["publish", "publish"]);
}
