//! The violations of a history.

use std::fmt;

/// A violation: an observation that contradicts a guarantee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// The stream has a gap or a duplicate at this changeset id.
    Hole(u64),
    /// Two commits were acknowledged as this changeset.
    TwoWinners(u64),
    /// A commit was acknowledged as this changeset, but the stream does not contain it there.
    LostAcknowledgement(u64),
    /// A commit became this changeset, which does not follow its expectation.
    WrongPlace(u64),
    /// One commit is stored twice, the second time as this changeset.
    Doubled(u64),
    /// This changeset belongs to no commit that was acknowledged or got no answer.
    Unacknowledged(u64),
    /// A conflict listed this changeset, which is not stored.
    ToldOfWhatDidNotLast(u64),
    /// A conflict listed the wrong part of the stream. It should begin with this changeset or
    /// event.
    ToldTheWrongPart(u64),
    /// An answer ignored this changeset, which had been acknowledged before the call.
    Stale(u64),
    /// A reader did not get the changeset at this checkpoint.
    Skipped(u64),
    /// A reader got the changeset at this checkpoint twice, or too early.
    Repeated(u64),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let guarantee = match self {
            Self::Hole(_) => "G3",
            Self::LostAcknowledgement(_) | Self::Stale(_) => "G5",
            Self::Skipped(_) | Self::Repeated(_) => "G6",
            _ => "G2",
        };
        let said = match self {
            Self::Hole(id) => format!("changeset {id} of the stream is missing or duplicated"),
            Self::TwoWinners(id) => {
                format!("two commits were acknowledged as changeset {id}")
            }
            Self::LostAcknowledgement(id) => {
                format!("changeset {id} was acknowledged, but is missing or has other content")
            }
            Self::WrongPlace(id) => {
                format!("a commit became changeset {id}, which does not follow its expectation")
            }
            Self::Doubled(id) => format!("one commit is stored twice, again as changeset {id}"),
            Self::Unacknowledged(id) => {
                format!("changeset {id} is stored, but no commit was answered so")
            }
            Self::ToldOfWhatDidNotLast(id) => {
                format!("a conflict listed changeset {id}, which is not stored")
            }
            Self::ToldTheWrongPart(id) => {
                format!("the list of a conflict does not begin with changeset or event {id}")
            }
            Self::Stale(id) => {
                format!("an answer ignored changeset {id}, which had been acknowledged before")
            }
            Self::Skipped(at) => format!("a reader did not get the changeset at checkpoint {at}"),
            Self::Repeated(at) => {
                format!("a reader got the changeset at checkpoint {at} twice, or too early")
            }
        };
        write!(f, "{guarantee}: {said}")
    }
}
