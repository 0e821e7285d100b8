//! Errors of a storage, and whether a commit was written.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

/// Why a storage failed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The storage cannot be reached, is overloaded, full or closed. The call may succeed later.
    #[error("the storage is unavailable: {reason}")]
    Unavailable {
        /// What happened, for people.
        reason: String,
        /// Whether a commit may have been written.
        written: Written,
        /// How long to wait before the next try.
        retry_after: Duration,
        /// The driver's error.
        #[source]
        source: Option<Arc<dyn StdError + Send + Sync>>,
    },
    /// The stored data breaks a guarantee. Stop writing until an operator has inspected it.
    #[error("the stored data is damaged: {0}")]
    Corrupt(String),
    /// The store has moved, and accepts no commits. Nothing was written. It stays so until an operator
    /// lifts the fence ([`Fence`](crate::adapter::Fence)).
    #[error("the store has moved to {moved_to} and accepts no commits here")]
    Fenced {
        /// Where the store is now.
        moved_to: String,
    },
    /// The storage failed, and a repeat of the call will fail too.
    #[error("the storage failed: {0}")]
    Backend(Arc<dyn StdError + Send + Sync>),
}

/// Whether a commit that failed may have been written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// Nothing was written, and nothing will be.
    None,
    /// It may have been written. It is safe to repeat it with the same commit id.
    Unknown,
}

impl StorageError {
    /// The default of `retry_after`.
    pub const RETRY_AFTER: Duration = Duration::from_secs(1);

    /// [`StorageError::Unavailable`] without a driver's error.
    pub fn unavailable(reason: impl Into<String>, written: Written) -> Self {
        Self::Unavailable {
            reason: reason.into(),
            written,
            retry_after: Self::RETRY_AFTER,
            source: None,
        }
    }

    /// The error of every call to a closed storage.
    pub fn closed() -> Self {
        Self::unavailable("it has been closed", Written::None)
    }

    /// The same error, where an earlier try of the commit, or this one, may have been written. If
    /// `earlier` is [`Written::Unknown`] the result is [`StorageError::Unavailable`], whatever failed.
    #[must_use]
    pub fn after_a_try(mut self, earlier: Written) -> Self {
        match &mut self {
            _ if earlier == Written::None => self,
            Self::Unavailable { written, .. } => {
                *written = earlier;
                self
            }
            _ => Self::Unavailable {
                reason: "it failed during a commit".to_owned(),
                written: earlier,
                retry_after: Self::RETRY_AFTER,
                source: Some(Arc::new(self)),
            },
        }
    }

    /// Whether a commit that failed with this error may have been written.
    pub fn written(&self) -> Written {
        match self {
            Self::Unavailable { written, .. } => *written,
            Self::Corrupt(_) | Self::Fenced { .. } | Self::Backend(_) => Written::None,
        }
    }
}
