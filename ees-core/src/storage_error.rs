//! How a storage fails, and what a commit may have done by then.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

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
    Backend(Arc<dyn StdError + Send + Sync>),
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
