//! The retry of a failed batch: which members to try again, and which errors to return.

use crate::{StorageError, Written};

/// The step at which a try failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Waiting for the turn.
    Turn,
    /// Opening the transaction.
    Begin,
    /// Writing and committing.
    Commit,
}

/// A failed try.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) step: Step,
    pub(super) error: StorageError,
}

impl Failure {
    /// Returns the function that turns an error of a step into a failure.
    pub(super) fn of(step: Step) -> impl Fn(StorageError) -> Self {
        move |error| Self { step, error }
    }

    fn is_unavailable(&self) -> bool {
        matches!(self.error, StorageError::Unavailable { .. })
    }

    /// Whether no commit is accepted, whatever it is.
    fn is_fenced(&self) -> bool {
        matches!(self.error, StorageError::Fenced { .. })
    }
}

/// The retry of a batch, member by member.
#[derive(Debug)]
pub(super) struct Retry {
    /// Whether the failed batch may have been written, and with it any of its members.
    earlier: Written,
    /// The error if the database is unreachable or fenced. The remaining members are then not tried.
    unreachable: Option<StorageError>,
}

impl Retry {
    /// Starts the retry after the batch failed. If the batch was unavailable while it waited for
    /// its turn, the database is unreachable. A later failure may have been caused by a member, unless
    /// the store is fenced.
    pub(super) fn of_batch(failure: Failure) -> Self {
        let is_unreachable = failure.step == Step::Turn && failure.is_unavailable();
        let is_unreachable = is_unreachable || failure.is_fenced();
        Self {
            earlier: failure.error.written(),
            unreachable: is_unreachable.then_some(failure.error),
        }
    }

    /// The error if the next member is not to be tried; `None` if it is to be tried.
    pub(super) fn given_up(&self) -> Option<StorageError> {
        self.unreachable.clone()
    }

    /// Returns the error for a member that failed on its own. If the database was unavailable
    /// before the commit step, or is fenced, the member is not the cause, and the remaining members
    /// are not tried.
    pub(super) fn member_failed(&mut self, failure: Failure) -> StorageError {
        let is_unreachable = failure.step != Step::Commit && failure.is_unavailable();
        let is_unreachable = is_unreachable || failure.is_fenced();
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
            assert!(retry.given_up().is_none(), "the member may be the cause");
        }
    }

    #[test]
    fn a_fence_gives_all_members_up() {
        let fenced = || Failure {
            step: Step::Begin,
            error: StorageError::Fenced {
                moved_to: "a new place".to_owned(),
            },
        };
        let given_up = Retry::of_batch(fenced()).given_up();
        assert!(matches!(given_up, Some(StorageError::Fenced { .. })));
        let mut retry = Retry::of_batch(unavailable(Step::Commit, Written::Unknown));
        let told = retry.member_failed(fenced());
        assert_eq!(
            told.written(),
            Written::Unknown,
            "the batch may have written it"
        );
        assert!(retry.given_up().is_some());
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
