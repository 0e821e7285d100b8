//! A set of commits as the storage port receives it, and its outcome.

use super::Check;
use crate::commit::{Commit, Outcome};
use crate::concurrency::Refusal;
use crate::{Receipt, StorageError};

/// Commits that are stored together or not at all. They are complete and within the storage's limits,
/// and no stream is in a set twice.
#[derive(Debug, Clone)]
pub struct CommitSet {
    /// The commits, at least one. All have one commit id.
    pub commits: Vec<Commit>,
    /// Streams that have to be as they were seen.
    pub checks: Vec<Check>,
}

impl CommitSet {
    /// A single commit: a set of one, without checks.
    pub fn of_one(commit: Commit) -> Self {
        Self {
            commits: vec![commit],
            checks: Vec::new(),
        }
    }

    /// The size of events and metadata of all commits, in bytes.
    pub fn payload_bytes(&self) -> usize {
        self.commits.iter().map(Commit::payload_bytes).sum()
    }
}

/// The outcome of a set of commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetOutcome {
    /// All changesets are stored. One receipt for each commit, in their order.
    Committed(Vec<Receipt>),
    /// Nothing was written.
    Refused(SetRefusal),
}

impl From<Outcome> for SetOutcome {
    /// The outcome of a set of one, without checks.
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Committed(receipt) => Self::Committed(vec![receipt]),
            Outcome::Refused(refusal) => Self::Refused(SetRefusal {
                commits: vec![Some(refusal)],
                checks: Vec::new(),
            }),
        }
    }
}

impl SetOutcome {
    /// The outcome of the only commit of a set of one.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] if it answers no commit.
    pub fn into_single(self) -> Result<Outcome, StorageError> {
        let outcome = match self {
            Self::Committed(mut receipts) => receipts.pop().map(Outcome::Committed),
            Self::Refused(refusal) => {
                let refused = refusal.commits.into_iter().next().flatten();
                refused.map(Outcome::Refused)
            }
        };
        outcome.ok_or_else(|| StorageError::Corrupt("a commit has no outcome".to_owned()))
    }
}

/// Why a set of commits is refused: what each commit and each check was refused for, in their order;
/// `None` for one that does not stand in the way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SetRefusal {
    /// The commits.
    pub commits: Vec<Option<Refusal>>,
    /// The checks.
    pub checks: Vec<Option<Refusal>>,
}

impl SetRefusal {
    /// Whether nothing stands in the way.
    pub fn is_empty(&self) -> bool {
        self.commits.iter().chain(&self.checks).all(Option::is_none)
    }
}
