//! The storage port.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::BoxFuture;

use crate::{
    Changeset, Checkpoint, Commit, GlobalPage, Head, Page, PageLimit, Receipt, Refusal, StreamId,
    StreamQuery,
};

/// Keeps changesets: the contract between the core and an adapter.
///
/// An adapter translates; it decides nothing. The rule of [`Expectation::judge`], the arithmetic of
/// ids and checkpoints and the end of a page ([`PageBuilder`]) are the core's, and idempotent replay
/// is the use case's: after [`Refusal::Outdated`] it compares commit ids itself.
///
/// Calls may run at the same time, may be dropped at any point, and may be repeated. A call that is
/// dropped may still happen.
///
/// [`Expectation::judge`]: crate::Expectation::judge
/// [`PageBuilder`]: crate::PageBuilder
#[async_trait]
pub trait Storage: Send + Sync + 'static {
    /// Appends a changeset if its expectation holds.
    ///
    /// Atomic (G1): the changeset is stored whole or not at all. Of any number of commits with one
    /// expectation one succeeds (G2), and gets the next ids of its stream (G3). When the answer is
    /// `Committed`, the changeset is as durable as the storage promises (G4). A refusal speaks only
    /// of what has lasted. A storage that orders at commit time gives the next checkpoint (G6).
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] says whether the commit may have happened. After any other
    /// error it has not.
    async fn commit(&self, commit: &Commit) -> Result<Outcome, StorageError>;

    /// The end of a stream, strongly consistent; `None` if it holds nothing.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn head(&self, stream_id: &StreamId) -> Result<Option<Head>, StorageError>;

    /// A page of a stream, strongly consistent, in order and without a hole (G5). Empty if the
    /// stream does not exist or the range holds nothing.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn read_stream(&self, query: &StreamQuery) -> Result<Page<Changeset>, StorageError>;

    /// A page of the global order from a checkpoint on (G6, G7). It holds no changeset that was
    /// not durable when it was read, and ends before the first position that is not decided yet.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn read_global(
        &self,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError>;

    /// The end of the global order: the checkpoint that the next changeset will get.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn next_checkpoint(&self) -> Result<Checkpoint, StorageError>;

    /// A wake hint: resolves once something may have been committed after this call. It may
    /// resolve for nothing, and a storage that other processes write to may miss some: listen
    /// first, then read, and poll behind it. Never a source of truth.
    fn news(&self) -> BoxFuture<'static, ()>;

    /// The most bytes of events and metadata that a changeset may have.
    fn max_changeset_bytes(&self) -> usize;

    /// Finishes the commits it has accepted and gives everything back: files, locks, connections.
    /// Afterwards every call is [`StorageError::Unavailable`]. May be called again.
    async fn close(&self);
}

/// What became of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It stands.
    Committed(Receipt),
    /// Its expectation does not hold; nothing was written.
    Refused(Refusal),
}

/// A storage failed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The storage cannot be reached, is overloaded, full or closed. Trying again later may help.
    #[error("the storage is unavailable: {reason}")]
    Unavailable {
        /// What is the matter, for people.
        reason: String,
        /// Whether a commit may have happened all the same.
        written: Written,
        /// When to try again.
        retry_after: Duration,
        /// What the driver said.
        #[source]
        source: Option<Arc<dyn StdError + Send + Sync>>,
    },
    /// What the storage holds breaks a promise. Nobody should write on before someone has looked.
    #[error("the storage holds what it never should: {0}")]
    Corrupt(String),
    /// The storage failed in a way that trying again will not mend.
    #[error("the storage failed: {0}")]
    Backend(#[source] Arc<dyn StdError + Send + Sync>),
}

/// Whether a commit that failed may have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// Nothing was written, and nothing will be.
    None,
    /// It may have been written. To repeat it with the same commit id is safe.
    Unknown,
}

impl StorageError {
    /// How long to wait where nothing better is known.
    pub const RETRY_AFTER: Duration = Duration::from_secs(1);

    /// An unavailability without a driver's error behind it.
    pub fn unavailable(reason: impl Into<String>, written: Written) -> Self {
        Self::Unavailable {
            reason: reason.into(),
            written,
            retry_after: Self::RETRY_AFTER,
            source: None,
        }
    }

    /// What every call to a closed storage answers.
    pub fn closed() -> Self {
        Self::unavailable("it has been closed", Written::None)
    }

    /// The same error for a commit of which an earlier try may have happened, or this very one:
    /// then it is unavailable, whatever failed.
    #[must_use]
    pub fn after_a_try(mut self, earlier: Written) -> Self {
        match &mut self {
            _ if earlier == Written::None => self,
            Self::Unavailable { written, .. } => {
                *written = earlier;
                self
            }
            _ => Self::Unavailable {
                reason: "it failed while a commit was under way".to_owned(),
                written: earlier,
                retry_after: Self::RETRY_AFTER,
                source: Some(Arc::new(self)),
            },
        }
    }

    /// Whether a commit that failed so may have happened.
    pub fn written(&self) -> Written {
        match self {
            Self::Unavailable { written, .. } => *written,
            Self::Corrupt(_) | Self::Backend(_) => Written::None,
        }
    }
}
