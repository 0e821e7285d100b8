//! The decision about a marker that a commit finds.

/// How often a commit is judged at most. Each round after the first ends a commit whose expectation
/// does not hold, and a slot that was taken makes the expectation outdated. So only commits with the
/// same key can cause more rounds.
pub(crate) const MAX_ROUNDS: usize = 16;

/// What stands at the changeset id that a marker names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Standing {
    /// No changeset.
    Nothing,
    /// A changeset with the key.
    Ours,
    /// A changeset with another key.
    Other,
}

/// What a commit does after it found a marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// Nothing: the key stands.
    Stands,
    /// Put the changeset, if the slot is still empty.
    Put,
    /// Move the marker to the slot, if it has not moved; then put the changeset.
    Move,
    /// The same, if the slot is still empty.
    MoveIfEmpty,
    /// Judge the commit by the end of its stream as it is now.
    JudgeAgain,
}

/// Decides what a commit does that found the marker `marker`, and may be written at `slot`.
/// `was_seen` is whether the same marker was seen before the end of the stream was read, from which
/// the slot follows.
///
/// A marker is written when the stream ends directly before it. If it was seen before the end was
/// read, and is beyond the slot all the same, the stream was restored to an earlier time.
pub(crate) fn step(marker: u64, standing: Standing, slot: u64, was_seen: bool) -> Step {
    match standing {
        Standing::Ours => Step::Stands,
        Standing::Other => Step::Move,
        Standing::Nothing if marker == slot => Step::Put,
        Standing::Nothing if was_seen && marker > slot => Step::MoveIfEmpty,
        Standing::Nothing => Step::JudgeAgain,
    }
}
