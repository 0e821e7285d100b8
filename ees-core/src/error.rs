//! What the use cases refuse, and why.

use crate::{Changeset, ChangesetId, EventId, Expectation, Head, Page, StorageError, StreamId};

/// A use case did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The stream has moved on beyond the expectation; nothing was written.
    #[error("stream `{}` has moved on: {} was expected, but {}", .0.stream_id, .0.expectation, .0.end())]
    Conflict(Box<Conflict>),
    /// The stream has not come as far as the expectation; nothing was written.
    #[error("stream `{stream_id}` has not come so far: {expectation} was expected, but {}", describe(*head))]
    ExpectationAhead {
        /// The stream.
        stream_id: StreamId,
        /// What was expected.
        expectation: Expectation,
        /// The stream's end; `None` if it does not exist.
        head: Option<Head>,
    },
    /// The idempotency key stands at the place of this commit with another content; nothing was
    /// written.
    #[error(
        "the idempotency key was used for changeset {changeset_id} of stream `{stream_id}` with another content"
    )]
    IdempotencyKeyReused {
        /// The stream.
        stream_id: StreamId,
        /// The changeset that has the key.
        changeset_id: ChangesetId,
    },
    /// The changeset is larger than the storage takes; nothing was written.
    #[error(
        "the changeset has {size} bytes of events and metadata; this storage takes at most {limit}"
    )]
    ChangesetTooLarge {
        /// Its events and metadata, in bytes.
        size: usize,
        /// The most that the storage takes.
        limit: usize,
    },
    /// The stream can take no more; nothing was written.
    #[error("stream `{stream_id}` has reached the largest size a stream can have")]
    StreamTooLarge {
        /// The stream.
        stream_id: StreamId,
    },
    /// The stream holds no changeset.
    #[error("stream `{stream_id}` does not exist: it has no changeset")]
    StreamNotFound {
        /// The stream.
        stream_id: StreamId,
    },
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// A commit came too late.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The stream.
    pub stream_id: StreamId,
    /// What was expected.
    pub expectation: Expectation,
    /// Every changeset that holds something after the expectation, oldest first, as far as a page
    /// goes. By event that can be none: a table of the Python original may hold changesets without
    /// events.
    pub forthcoming: Page<Changeset>,
}

impl Conflict {
    /// Where the stream is, as far as the page tells.
    fn end(&self) -> String {
        match self.forthcoming.items.last() {
            None => "it exists".to_owned(),
            Some(last) if self.forthcoming.more => {
                format!("it goes on beyond changeset {}", last.changeset_id)
            }
            Some(last) => ends_with(last.changeset_id, last.last_event_id),
        }
    }
}

fn describe(head: Option<Head>) -> String {
    match head {
        None => "it does not exist".to_owned(),
        Some(head) => ends_with(head.last_changeset, head.last_event),
    }
}

fn ends_with(changeset: ChangesetId, event: EventId) -> String {
    format!("its last changeset is {changeset} and its last event {event}")
}
