//! The one error type of the use cases.

use std::fmt;
use std::time::Duration;

use crate::concurrency::Refusal;
use crate::consumer::ConsumerError;
use crate::{
    Changeset, Checkpoint, CommitIdError, EventCheckpoint, Expectation, Head, Page, PayloadError,
    SetError, StorageError, StoreId, StreamId, StreamIdError, UnreadableEvent, Written,
};

/// Why a use case failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The stream has moved on beyond the expectation; nothing was written.
    #[error("stream `{}` has moved on: {} was expected, but {}", .0.stream_id, .0.expectation, describe(Some(.0.head)))]
    Conflict(Box<Conflict>),
    /// The stream ends before the expectation; nothing was written.
    #[error("stream `{stream_id}` is shorter than expected: {expectation} was expected, but {}", describe(*head))]
    ExpectationAhead {
        /// The stream.
        stream_id: StreamId,
        /// What was expected.
        expectation: Expectation,
        /// The stream's end; `None` if it does not exist.
        head: Option<Head>,
    },
    /// Streams of a set are not as its commits and checks expect; nothing was written.
    #[error("{0}")]
    SetConflict(Box<SetConflict>),
    /// A set of commits is not one that can be committed; nothing was written.
    #[error(transparent)]
    Set(#[from] SetError),
    /// A commit of a set cannot be stored; nothing was written.
    #[error("the commit to stream `{stream_id}`: {error}")]
    InSet {
        /// The commit's stream.
        stream_id: StreamId,
        /// What stands in the way.
        error: Box<Error>,
    },
    /// The idempotency key stands in this changeset of the stream, with other content; nothing was
    /// written.
    #[error(
        "the idempotency key was used for changeset {} of stream `{}` with another content or in another set of commits",
        .0.changeset_id, .0.stream_id
    )]
    IdempotencyKeyReused(Box<Changeset>),
    /// The changeset is larger than the storage accepts; nothing was written.
    #[error(
        "the changeset has {size} bytes of events and metadata; this storage takes at most {limit}"
    )]
    ChangesetTooLarge {
        /// Its events and metadata, in bytes.
        size: usize,
        /// The largest size that the storage accepts, in bytes.
        limit: usize,
    },
    /// The stream has reached its largest size; nothing was written.
    #[error("stream `{stream_id}` has reached the largest size a stream can have")]
    StreamTooLarge {
        /// The stream.
        stream_id: StreamId,
    },
    /// A reader's checkpoint is beyond the end of the global order. A reader that follows this order
    /// cannot have it: the store is another one, or was restored from an older copy.
    #[error(
        "checkpoint {checkpoint} is beyond the head of the global order, which is {head}: it belongs to another store, or this store was restored from an older copy"
    )]
    CheckpointBeyondHead {
        /// The reader's checkpoint.
        checkpoint: EventCheckpoint,
        /// The end of the global order: the checkpoint that the next changeset will get.
        head: Checkpoint,
    },
    /// The reader's checkpoint belongs to a store with another id.
    #[error("{0}")]
    OtherStore(Box<OtherStore>),
    /// The stream holds no changeset.
    #[error("stream `{stream_id}` does not exist: it has no changeset")]
    StreamNotFound {
        /// The stream.
        stream_id: StreamId,
    },
    /// Events or metadata are not valid; nothing was written.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// A text is not a valid stream id.
    #[error(transparent)]
    StreamId(#[from] StreamIdError),
    /// A text is not a valid idempotency key.
    #[error(transparent)]
    IdempotencyKey(#[from] CommitIdError),
    /// An event cannot be read as the type that the reader requested.
    #[error(transparent)]
    UnreadableEvent(#[from] UnreadableEvent),
    /// A call of a durable consumer failed.
    #[error(transparent)]
    Consumer(#[from] ConsumerError),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Error {
    /// Whether the same call may succeed later. A commit is repeated with the same idempotency key.
    ///
    /// [`Error::Conflict`] is not retryable: load the stream and decide again.
    pub fn is_retryable(&self) -> bool {
        self.retry_after().is_some()
    }

    /// How long to wait before the same call, if it is retryable.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Storage(StorageError::Unavailable { retry_after, .. }) => Some(*retry_after),
            _ => None,
        }
    }

    /// Whether a commit that failed with this error may have been written.
    pub fn written(&self) -> Written {
        match self {
            Self::Storage(error) => error.written(),
            Self::InSet { error, .. } => error.written(),
            _ => Written::None,
        }
    }
}

/// A reader's checkpoint belongs to a store with another id: the reader asks the wrong store, or the
/// store was restored and got another id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherStore {
    /// The id of this store.
    pub store: StoreId,
    /// The id that the reader asked for.
    pub asked: StoreId,
    /// The end of the global order: the checkpoint that the next changeset will get.
    pub head: Checkpoint,
    /// Below this checkpoint both have the same changesets; `None` if the id that the reader asked for
    /// is not a former id of this store.
    pub same_below: Option<Checkpoint>,
}

impl fmt::Display for OtherStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { store, asked, .. } = self;
        match self.same_below {
            Some(below) => write!(
                f,
                "this store had the id {asked} before and has the id {store} now: it was restored \
                 from a copy. Its changesets below checkpoint {below} are the same. A reader that \
                 is at {below} or before goes on with the new id; another one goes back to {below}"
            ),
            None => write!(
                f,
                "this store has the id {store}; {asked} is another store, and its checkpoints mean \
                 nothing here"
            ),
        }
    }
}

/// The stream had moved on before the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The stream.
    pub stream_id: StreamId,
    /// What was expected.
    pub expectation: Expectation,
    /// The end of the stream.
    pub head: Head,
    /// The changesets after the expectation, oldest first: as many as the commit asked for
    /// ([`NewChangeset::max_forthcoming`](crate::NewChangeset::max_forthcoming)), and at most 256 KiB
    /// of events and metadata, but at least one. With an expectation by event there may be none: a
    /// table of the Python original may hold changesets without events.
    pub forthcoming: Page<Changeset>,
}

/// Streams of a set were not as its commits and checks expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetConflict {
    /// Every commit and every check that did not hold: first the commits, then the checks, in their
    /// order. Together they list at most 100 changesets and 256 KiB of events and metadata, but at
    /// least one changeset.
    pub unmet: Vec<Unmet>,
}

impl SetConflict {
    /// Whether a stream ends before what was expected of it. The caller then expects what it cannot have
    /// read in this store.
    pub fn is_ahead(&self) -> bool {
        self.unmet.iter().any(Unmet::is_ahead)
    }
}

impl fmt::Display for SetConflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the set was not committed: ")?;
        for (at, unmet) in self.unmet.iter().enumerate() {
            let Unmet {
                stream_id,
                expectation,
                head,
                ..
            } = unmet;
            let (separator, is) = (if at == 0 { "" } else { "; " }, describe(*head));
            write!(
                f,
                "{separator}stream `{stream_id}`: {expectation} was expected, but {is}"
            )?;
        }
        Ok(())
    }
}

/// A commit or a check of a set that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// The stream.
    pub stream_id: StreamId,
    /// What was expected.
    pub expectation: Expectation,
    /// The end of the stream; `None` if it does not exist.
    pub head: Option<Head>,
    /// The changesets after the expectation, oldest first, as far as the conflict has room for them.
    pub forthcoming: Page<Changeset>,
}

impl Unmet {
    /// The changeset id from which on more follows than the conflict lists; `None` if it lists all.
    /// `None` too if it has no room for any, and the expectation is by event: what was missed begins
    /// with the event after that one.
    pub fn next(&self) -> Option<u64> {
        let last = match (self.forthcoming.items.last(), self.expectation) {
            (Some(last), _) => last.changeset_id.get(),
            (None, Expectation::LastChangeset(last)) => last,
            (None, Expectation::LastEvent(_)) => return None,
        };
        self.forthcoming.more.then(|| last.saturating_add(1))
    }

    /// Whether the stream ends before the expectation.
    pub fn is_ahead(&self) -> bool {
        matches!(
            self.expectation.check(self.head.as_ref()),
            Some(Refusal::Ahead(_))
        )
    }
}

fn describe(head: Option<Head>) -> String {
    match head {
        None => "it does not exist".to_owned(),
        Some(head) => format!(
            "its last changeset is {} and its last event {}",
            head.last_changeset, head.last_event
        ),
    }
}
