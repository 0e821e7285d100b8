//! The parameters of a commit.

use ees_core::{Expectation, MAX_FORTHCOMING, MAX_ID};

use super::{CommitParams, Params, SetParams};
use crate::codes;
use crate::error::ApiError;

/// The parameters that a commit takes.
const TAKEN: &[&str] = &[
    "expected_last_changeset",
    "expected_last_event",
    "forthcoming",
    "details",
    "pp",
];

/// The parameters that a set of commits takes.
const TAKEN_BY_SETS: &[&str] = &["forthcoming", "details", "pp"];

impl Params {
    /// The parameters of a commit.
    pub(crate) fn commit(&self) -> Result<CommitParams, ApiError> {
        let asked = CommitParams {
            expectation: self.expectation()?,
            forthcoming: self.forthcoming()?,
            common: self.common()?,
        };
        self.refuse_unknown(TAKEN)?;
        Ok(asked)
    }

    /// The parameters of a set of commits.
    pub(crate) fn commit_all(&self) -> Result<SetParams, ApiError> {
        let asked = SetParams {
            forthcoming: self.forthcoming()?,
            common: self.common()?,
        };
        self.refuse_unknown(TAKEN_BY_SETS)?;
        Ok(asked)
    }

    /// How many changesets a conflict lists at most.
    fn forthcoming(&self) -> Result<usize, ApiError> {
        let most = self.number("forthcoming", 0..=MAX_ID, codes::INVALID_PARAMETER)?;
        let most = most.and_then(|most| usize::try_from(most).ok());
        Ok(most.unwrap_or(MAX_FORTHCOMING).min(MAX_FORTHCOMING))
    }

    /// What a commit expects. Neither parameter means a new stream.
    fn expectation(&self) -> Result<Expectation, ApiError> {
        let changeset = "expected_last_changeset";
        let event = "expected_last_event";
        let by_changeset = self.id(changeset, codes::INVALID_EXPECTED_CHANGESET_ID)?;
        let by_event = self.id(event, codes::INVALID_EXPECTED_EVENT_ID)?;
        let given = one_expectation(by_changeset, by_event)?;
        Ok(given.unwrap_or(Expectation::NEW_STREAM))
    }
}

/// What a commit or a check expects, if anything. It has one of the two expectations at most.
pub(crate) fn one_expectation(
    by_changeset: Option<u64>,
    by_event: Option<u64>,
) -> Result<Option<Expectation>, ApiError> {
    match (by_changeset, by_event) {
        (Some(_), Some(_)) => {
            let message = "`expected_last_changeset` and `expected_last_event` are both given: give one \
                           of them";
            let code = codes::BOTH_EXPECTED_CHANGESET_AND_EVENT_ARE_SET;
            Err(ApiError::bad_request(code, message.to_owned()))
        }
        (Some(last), None) => Ok(Some(Expectation::LastChangeset(last))),
        (None, Some(last)) => Ok(Some(Expectation::LastEvent(last))),
        (None, None) => Ok(None),
    }
}
