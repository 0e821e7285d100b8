//! Why a URL could not be opened.

use std::error::Error as StdError;
use std::fmt::Display;

use crate::redacted;

/// Why a storage or a publisher could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The URL is wrong, or names an adapter that this build leaves out.
    #[error("`{url}`: {problem}")]
    Url {
        /// The URL, without its password.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The adapter cannot open the storage: it is in use, not ours, newer, not writable, or cannot be
    /// reached.
    #[error(transparent)]
    Storage(Box<dyn StdError + Send + Sync>),
}

impl OpenError {
    pub(crate) fn url(url: &str, problem: impl Display) -> Self {
        Self::Url {
            url: redacted(url),
            problem: problem.to_string(),
        }
    }

    #[allow(dead_code, reason = "a build may hold every adapter, or none")]
    pub(crate) fn left_out(url: &str, feature: &str) -> Self {
        let problem = format!(
            "this build leaves `{feature}:` out; build it with the cargo feature `{feature}`"
        );
        Self::url(url, problem)
    }

    #[allow(dead_code, reason = "a build may hold no adapter")]
    pub(crate) fn storage(error: impl StdError + Send + Sync + 'static) -> Self {
        Self::Storage(Box::new(error))
    }
}
