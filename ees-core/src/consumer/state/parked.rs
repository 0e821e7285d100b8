//! A stream that waits, and when it is tried.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{ChangesetId, Checkpoint, StreamId, Timestamp};

/// The longest text of a failure that is kept, in bytes.
const MAX_ERROR_BYTES: usize = 256;

/// A stream that a consumer could not handle from a changeset on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Parked {
    /// Where it is stored.
    pub(crate) slot: u16,
    /// The stream.
    pub stream_id: StreamId,
    /// The first of its changesets that is not handled.
    pub from_changeset: ChangesetId,
    /// A position that this changeset is not before.
    pub(crate) position: Checkpoint,
    /// How often this changeset failed.
    pub attempts: u32,
    /// Why it failed last; at most 256 bytes.
    pub error: String,
    /// When the stream was parked.
    pub since: Timestamp,
    /// When it is tried again; `None` if it waits for an operator.
    pub next_try: Option<Timestamp>,
    /// Whether it is handled again, and follows the partition's checkpoint.
    pub(crate) catching_up: bool,
}

impl Parked {
    /// Whether it is to be tried now.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.next_try.is_some_and(|time| time <= now)
    }

    /// It goes on at a changeset, at once.
    pub(super) fn go_on(&mut self, from: ChangesetId, position: Checkpoint, now: Timestamp) {
        self.from_changeset = from;
        self.position = position;
        self.attempts = 0;
        self.next_try = Some(now);
        self.catching_up = true;
    }
}

/// The beginning of a text, at most 256 bytes.
pub(super) fn cut(text: &str) -> String {
    let mut end = text.len().min(MAX_ERROR_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}

/// When to try again after so many failures; `None` if there is no pause for them.
pub(super) fn next_try(pauses: &[u64], attempts: u32, now: Timestamp) -> Option<Timestamp> {
    let at = usize::try_from(attempts).ok()?.checked_sub(1)?;
    let pause = pauses.get(at)?;
    Some(now.after(Duration::from_secs(*pause)))
}
