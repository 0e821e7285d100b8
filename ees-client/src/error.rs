//! The errors of a call. Each says what to do next.

use std::fmt;
use std::time::Duration;

use ees_core::{Checkpoint, CommitId, StoreId, StreamId, Written};

use crate::model::{Changeset, Conflict};

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another commit was faster, and nothing was written. Apply
    /// [`forthcoming`](Conflict::forthcoming) to the state, decide anew, commit again.
    #[error("{answered}")]
    Conflict {
        /// What was missed.
        conflict: Box<Conflict>,
        /// The answer.
        answered: Box<Answered>,
    },
    /// Streams are not as the commits and checks of a set expect them, and nothing was written. Apply
    /// what each stream has missed, decide anew, commit the set again. With the status 400 a stream
    /// ends before what was expected of it: read it anew.
    #[error("{answered}")]
    SetConflict {
        /// Every commit and check that does not hold: first the commits, then the checks.
        conflicts: Vec<Conflict>,
        /// The answer.
        answered: Box<Answered>,
    },
    /// The idempotency key stands in the stream with another content, and nothing was written: the
    /// command is done.
    #[error("{answered}")]
    KeyReused {
        /// What the command stored, unless the key of the client may not read.
        changeset: Option<Box<Changeset>>,
        /// The stream.
        stream_id: Box<StreamId>,
        /// The changeset's number in the stream; 0 if the server did not tell.
        changeset_id: u64,
        /// The answer.
        answered: Box<Answered>,
    },
    /// The stream has no changeset. Its first commit expects a new stream.
    #[error("{0}")]
    StreamNotFound(Box<Answered>),
    /// There is no such consumer: define it.
    #[error("{0}")]
    ConsumerNotFound(Box<Answered>),
    /// The batch is not out any more, and nothing was changed: claim again.
    #[error("{0}")]
    Fenced(Box<Answered>),
    /// Another store answers than the one to which the checkpoint or the client belongs.
    #[error("{answered}")]
    OtherStore {
        /// The store that answers; `None` if its id is none that this client knows.
        store: Option<StoreId>,
        /// The store that was meant.
        asked: Option<StoreId>,
        /// If the store was restored: go back to this checkpoint, and undo what was built from later
        /// changesets. `None`: the store is a strange one, so check the address.
        same_below: Option<Checkpoint>,
        /// The end of the global order.
        head: Option<Checkpoint>,
        /// The answer.
        answered: Box<Answered>,
    },
    /// No changeset can have this checkpoint yet: the store was restored from an older copy.
    #[error("{answered}")]
    CheckpointBeyondHead {
        /// The end of the global order.
        head: Option<Checkpoint>,
        /// The answer.
        answered: Box<Answered>,
    },
    /// The server has keys, and the client has none that is valid.
    #[error("{0}")]
    Unauthorized(Box<Answered>),
    /// The key of the client lacks a right or a stream prefix, which the message names.
    #[error("{0}")]
    Forbidden(Box<Answered>),
    /// The store cannot answer now, in spite of all tries: call again later.
    #[error("{answered}{unfinished}")]
    Unavailable {
        /// How long to wait, if the server told.
        retry_after: Option<Duration>,
        /// How the call ended.
        unfinished: Unfinished,
        /// The last answer.
        answered: Box<Answered>,
    },
    /// No complete answer came, in spite of all tries: call again later.
    #[error("no complete answer: {reason}{unfinished}")]
    Transport {
        /// What happened to the last try.
        reason: String,
        /// How the call ended.
        unfinished: Unfinished,
    },
    /// The answer is not one of an event store, such as the page of a proxy: check the address. It is
    /// not known whether a commit was written.
    #[error("status {status} with an answer that is not the store's: {beginning:?}; {}", hint(location.as_deref()))]
    UnexpectedAnswer {
        /// The HTTP status.
        status: u16,
        /// The beginning of the answer.
        beginning: String,
        /// The address to which it redirects.
        location: Option<String>,
    },
    /// Another error that the store answers: correct the request.
    #[error("{0}")]
    Api(Box<Answered>),
    /// The call was refused before anything was sent.
    #[error("{0}")]
    Refused(String),
}

fn hint(location: Option<&str>) -> String {
    match location {
        Some(location) => format!("it redirects to {location}: use that address"),
        None => "is this the address of an event store?".to_owned(),
    }
}

/// An error as the store answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answered {
    /// The HTTP status.
    pub status: u16,
    /// The code: one of docs/rest-api.md, or `HTTP_` and the status if something in front of the store
    /// has answered.
    pub code: String,
    /// What is wrong, for people.
    pub message: String,
    /// The id of the request, which the log of the server has too.
    pub request_id: Option<String>,
}

impl fmt::Display for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

/// How a call ended that was tried without success.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unfinished {
    /// Whether a commit may have been written, by any of its tries.
    pub written: Written,
    /// The key of a commit. Repeat the commit with it and the same content: it is then stored at most
    /// once.
    pub idempotency_key: Option<CommitId>,
    /// How often it was tried.
    pub tries: u32,
}

impl Unfinished {
    /// How one try ended.
    pub(crate) fn once(written: Written) -> Self {
        Self {
            written,
            idempotency_key: None,
            tries: 1,
        }
    }
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " (tries: {})", self.tries)?;
        let Some(key) = &self.idempotency_key else {
            return Ok(());
        };
        let written = match self.written {
            Written::None => "nothing was written",
            Written::Unknown => "it may be written",
        };
        write!(f, "; {written}: repeat it with the idempotency key {key}")
    }
}

impl Error {
    /// The error that the store answered.
    pub fn answered(&self) -> Option<&Answered> {
        match self {
            Self::Conflict { answered, .. }
            | Self::SetConflict { answered, .. }
            | Self::KeyReused { answered, .. }
            | Self::OtherStore { answered, .. }
            | Self::CheckpointBeyondHead { answered, .. }
            | Self::Unavailable { answered, .. }
            | Self::StreamNotFound(answered)
            | Self::ConsumerNotFound(answered)
            | Self::Fenced(answered)
            | Self::Unauthorized(answered)
            | Self::Forbidden(answered)
            | Self::Api(answered) => Some(answered),
            Self::Transport { .. } | Self::UnexpectedAnswer { .. } | Self::Refused(_) => None,
        }
    }

    /// Whether the same call may succeed later. A commit is repeated with
    /// [`Unfinished::idempotency_key`].
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Transport { .. })
    }

    /// How long to wait before the same call, if the server told.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether a commit that failed with this error may have been written.
    pub fn written(&self) -> Written {
        match self {
            Self::Unavailable { unfinished, .. } | Self::Transport { unfinished, .. } => {
                unfinished.written
            }
            Self::UnexpectedAnswer { .. } => Written::Unknown,
            Self::Api(answered) if answered.status >= 500 => Written::Unknown,
            _ => Written::None,
        }
    }

    /// How a call ended that is repeated.
    pub(crate) fn unfinished(&mut self) -> Option<&mut Unfinished> {
        match self {
            Self::Unavailable { unfinished, .. } | Self::Transport { unfinished, .. } => {
                Some(unfinished)
            }
            _ => None,
        }
    }

    /// No complete answer came.
    pub(crate) fn lost(reason: impl Into<String>, written: Written) -> Self {
        Self::Transport {
            reason: reason.into(),
            unfinished: Unfinished::once(written),
        }
    }
}
