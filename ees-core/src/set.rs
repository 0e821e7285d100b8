//! Commits to several streams that are stored together or not at all.

mod commit_set;

use std::collections::HashSet;

use crate::{CommitId, Expectation, NewChangeset, StreamId};

pub use commit_set::{CommitSet, SetOutcome, SetRefusal};

/// The largest number of commits in a set.
pub const MAX_SET_COMMITS: usize = 25;

/// The largest number of checks in a set.
pub const MAX_SET_CHECKS: usize = 50;

/// All commits of a set together may be so many times as large as one changeset may be.
pub const SET_SIZE_FACTOR: usize = 4;

/// A stream that has to be as it was seen, although nothing is appended to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Check {
    /// The stream.
    pub stream_id: StreamId,
    /// The end that the stream must have when the set is committed.
    pub expectation: Expectation,
}

/// A set of commits as the caller requests it: all are stored, or none.
///
/// ```
/// use ees_core::{Events, Expectation, NewChangeset, NewSet};
/// let taken = Events::parse(r#"[{"type": "taken", "amount": 5}]"#)?;
/// let given = Events::parse(r#"[{"type": "given", "amount": 5}]"#)?;
/// let transfer = NewSet::default()
///     .commit(NewChangeset::new("account-1".parse()?, Expectation::LastChangeset(7), taken))
///     .commit(NewChangeset::new("account-2".parse()?, Expectation::LastEvent(9), given))
///     .check("limits-eu".parse()?, Expectation::LastChangeset(12));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct NewSet {
    /// The commits, 1 to [`MAX_SET_COMMITS`], each to a stream of its own. They have no idempotency
    /// keys: the set has one.
    pub commits: Vec<NewChangeset>,
    /// Streams that have to be as they were seen, at most [`MAX_SET_CHECKS`].
    pub checks: Vec<Check>,
    /// The caller's idempotency key, which belongs to each stream of the commits for ever. The store
    /// generates a key if there is none.
    pub idempotency_key: Option<CommitId>,
}

impl NewSet {
    /// Adds a commit.
    #[must_use]
    pub fn commit(mut self, commit: NewChangeset) -> Self {
        self.commits.push(commit);
        self
    }

    /// Adds a check.
    #[must_use]
    pub fn check(mut self, stream_id: StreamId, expectation: Expectation) -> Self {
        self.checks.push(Check {
            stream_id,
            expectation,
        });
        self
    }

    /// Sets the idempotency key, which makes the set safe to repeat.
    #[must_use]
    pub fn with_idempotency_key(mut self, key: CommitId) -> Self {
        self.idempotency_key = Some(key);
        self
    }

    /// Checks what a set may hold.
    pub(crate) fn validate(&self) -> Result<(), SetError> {
        let (commits, checks) = (self.commits.len(), self.checks.len());
        if commits == 0 {
            return Err(SetError::Empty);
        }
        if commits > MAX_SET_COMMITS {
            return Err(SetError::TooManyCommits { commits });
        }
        if checks > MAX_SET_CHECKS {
            return Err(SetError::TooManyChecks { checks });
        }
        let mut seen = HashSet::new();
        let committed = self.commits.iter().map(|commit| &commit.stream_id);
        let checked = self.checks.iter().map(|check| &check.stream_id);
        if let Some(twice) = committed.chain(checked).find(|id| !seen.insert(*id)) {
            let stream_id = twice.clone();
            return Err(SetError::StreamTwice { stream_id });
        }
        let mut commits = self.commits.iter();
        match commits.find(|commit| commit.idempotency_key.is_some()) {
            Some(keyed) => Err(SetError::KeyOfItsOwn {
                stream_id: keyed.stream_id.clone(),
            }),
            None => Ok(()),
        }
    }
}

/// What a set may not hold. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetError {
    /// It has no commit.
    #[error("a set has at least one commit")]
    Empty,
    /// It has too many commits.
    #[error("a set has at most {MAX_SET_COMMITS} commits; this one has {commits}")]
    TooManyCommits {
        /// How many it has.
        commits: usize,
    },
    /// It has too many checks.
    #[error("a set has at most {MAX_SET_CHECKS} checks; this one has {checks}")]
    TooManyChecks {
        /// How many it has.
        checks: usize,
    },
    /// A stream is in it twice, as a commit or as a check.
    #[error("stream `{stream_id}` is in the set twice")]
    StreamTwice {
        /// The stream.
        stream_id: StreamId,
    },
    /// A commit of the set has an idempotency key of its own.
    #[error(
        "the commit to stream `{stream_id}` has an idempotency key of its own: the key belongs to the \
         whole set"
    )]
    KeyOfItsOwn {
        /// The stream.
        stream_id: StreamId,
    },
    /// Its commits have more bytes than the storage takes together.
    #[error(
        "the set has {size} bytes of events and metadata; this storage takes at most {limit} together"
    )]
    TooLarge {
        /// Events and metadata of all commits, in bytes.
        size: usize,
        /// The largest size of a set, in bytes.
        limit: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Events;

    fn commit(stream: usize) -> NewChangeset {
        let stream_id = format!("s{stream}").parse().unwrap();
        let events = Events::parse("[1]").unwrap();
        NewChangeset::new(stream_id, Expectation::NEW_STREAM, events)
    }

    fn set(commits: usize, checks: usize) -> NewSet {
        let set = NewSet::default();
        let set = (0..commits).fold(set, |set, at| set.commit(commit(at)));
        (0..checks).fold(set, |set, at| {
            set.check(format!("c{at}").parse().unwrap(), Expectation::NEW_STREAM)
        })
    }

    #[test]
    fn a_set_has_limits() {
        assert_eq!(set(1, 0).validate(), Ok(()));
        assert_eq!(set(25, 50).validate(), Ok(()));
        assert_eq!(set(0, 1).validate(), Err(SetError::Empty));
        let commits = 26;
        let error = SetError::TooManyCommits { commits };
        assert_eq!(set(commits, 0).validate(), Err(error));
        let checks = 51;
        let error = SetError::TooManyChecks { checks };
        assert_eq!(set(1, checks).validate(), Err(error));
    }

    #[test]
    fn a_stream_is_in_a_set_once() {
        let stream_id: StreamId = "s0".parse().unwrap();
        let twice = Err(SetError::StreamTwice {
            stream_id: stream_id.clone(),
        });
        assert_eq!(set(1, 0).commit(commit(0)).validate(), twice);
        let checked = set(1, 0).check(stream_id, Expectation::LastEvent(3));
        assert_eq!(checked.validate(), twice);
    }

    #[test]
    fn a_member_has_no_key_of_its_own() {
        let keyed = commit(0).with_idempotency_key("k".parse().unwrap());
        let stream_id = keyed.stream_id.clone();
        let set = NewSet::default().commit(keyed);
        assert_eq!(set.validate(), Err(SetError::KeyOfItsOwn { stream_id }));
    }
}
