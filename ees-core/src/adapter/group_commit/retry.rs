//! What a batch that failed has taught: whom to try again, and what to tell them.

use crate::{StorageError, Written};

/// How far a try came before it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It waited for its turn.
    Turn,
    /// It opened the transaction.
    Begin,
    /// It wrote and committed.
    Commit,
}

/// A try that failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) step: Step,
    pub(super) error: StorageError,
}

impl Failure {
    /// What turns an error of a step into its failure.
    pub(super) fn of(step: Step) -> impl Fn(StorageError) -> Self {
        move |error| Self { step, error }
    }

    fn is_unavailable(&self) -> bool {
        matches!(self.error, StorageError::Unavailable { .. })
    }
}

/// The retry of a batch, member by member.
#[derive(Debug)]
pub(super) struct Retry {
    /// What the batch may have written when it failed. Each member may be part of it.
    earlier: Written,
    /// Why the rest is not tried: the database was found out of reach.
    unreachable: Option<StorageError>,
}

impl Retry {
    /// Begins after the batch failed. A database that did not even give it its turn is out of
    /// reach; one that failed later may have failed because of a member.
    pub(super) fn of_batch(failure: Failure) -> Self {
        let is_unreachable = failure.step == Step::Turn && failure.is_unavailable();
        Self {
            earlier: failure.error.written(),
            unreachable: is_unreachable.then_some(failure.error),
        }
    }

    /// Why the next member is not tried; `None` if it is.
    pub(super) fn given_up(&self) -> Option<StorageError> {
        self.unreachable.clone()
    }

    /// A member failed by itself: what it is told. No member is to blame for a database that does
    /// not open a transaction, so the rest is given up.
    pub(super) fn member_failed(&mut self, failure: Failure) -> StorageError {
        let is_unreachable = failure.step != Step::Commit && failure.is_unavailable();
        let error = failure.error.after_a_try(self.earlier);
        if is_unreachable {
            self.unreachable = Some(error.clone());
        }
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unavailable(step: Step, written: Written) -> Failure {
        Failure::of(step)(StorageError::unavailable("a test", written))
    }

    #[test]
    fn a_batch_without_a_turn_gives_all_members_up() {
        let retry = Retry::of_batch(unavailable(Step::Turn, Written::None));
        assert_eq!(
            retry.given_up().map(|error| error.written()),
            Some(Written::None)
        );
        let corrupt = Failure::of(Step::Turn)(StorageError::Corrupt("a test".to_owned()));
        assert!(Retry::of_batch(corrupt).given_up().is_none());
    }

    #[test]
    fn a_batch_that_failed_later_is_tried_member_by_member() {
        for step in [Step::Begin, Step::Commit] {
            let mut retry = Retry::of_batch(unavailable(step, Written::Unknown));
            assert!(retry.given_up().is_none());
            let told = retry.member_failed(unavailable(Step::Commit, Written::None));
            assert_eq!(
                told.written(),
                Written::Unknown,
                "the batch may have written it"
            );
            assert!(retry.given_up().is_none(), "the member may be to blame");
        }
    }

    #[test]
    fn a_member_that_cannot_begin_gives_the_rest_up() {
        for step in [Step::Turn, Step::Begin] {
            let mut retry = Retry::of_batch(unavailable(Step::Commit, Written::Unknown));
            retry.member_failed(unavailable(step, Written::None));
            let told = retry.given_up().map(|error| error.written());
            assert_eq!(told, Some(Written::Unknown));
        }
    }
}
