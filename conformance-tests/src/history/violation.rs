//! What no history may show.

use std::fmt;

/// What no history may show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// The stream has a hole or a repeat where this changeset should stand.
    Hole(u64),
    /// Two commits were told that they became this changeset.
    TwoWinners(u64),
    /// A commit was told that it became this changeset, but it does not stand there.
    LostAcknowledgement(u64),
    /// A commit became this changeset, which is not where it wanted to be.
    WrongPlace(u64),
    /// One commit stands twice, the second time as this changeset.
    Doubled(u64),
    /// Nobody was told, nor left without an answer, that this changeset stands.
    Unacknowledged(u64),
    /// A conflict told of this changeset, which does not stand.
    ToldOfWhatDidNotLast(u64),
    /// A conflict told of the wrong part of the stream: this was to be its first changeset or event.
    ToldTheWrongPart(u64),
    /// An answer knew nothing of this changeset, which had been acknowledged before.
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
            Self::Hole(id) => format!("changeset {id} of the stream is missing, or stands twice"),
            Self::TwoWinners(id) => {
                format!("two commits were told that they became changeset {id}")
            }
            Self::LostAcknowledgement(id) => {
                format!(
                    "changeset {id} was acknowledged, but something else or nothing stands there"
                )
            }
            Self::WrongPlace(id) => {
                format!("a commit became changeset {id}, which does not follow its expectation")
            }
            Self::Doubled(id) => format!("one commit stands twice, again as changeset {id}"),
            Self::Unacknowledged(id) => format!("nobody was told that changeset {id} stands"),
            Self::ToldOfWhatDidNotLast(id) => {
                format!("a conflict told of a changeset {id} that does not stand")
            }
            Self::ToldTheWrongPart(id) => {
                format!("what a conflict told does not begin with changeset or event {id}")
            }
            Self::Stale(id) => {
                format!("an answer knew nothing of changeset {id}, which had been acknowledged")
            }
            Self::Skipped(at) => format!("a reader did not get the changeset at checkpoint {at}"),
            Self::Repeated(at) => {
                format!("a reader got the changeset at checkpoint {at} twice, or too early")
            }
        };
        write!(f, "{guarantee}: {said}")
    }
}
