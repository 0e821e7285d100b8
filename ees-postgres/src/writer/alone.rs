//! A commit that nobody else waits beside, in two messages instead of four.
//!
//! PostgreSQL takes several statements in one message of its simple protocol, and runs them one
//! after another as if each had come by itself: at READ COMMITTED each sees what was committed
//! before it began. Statements with values are prepared once a session; the values go as literals.

use ees_core::{Changeset, Checkpoint, StreamId};

use super::{BEGIN, COMMIT, HEADS, INSERT};

/// The most bytes of payload that go as literals; larger ones go in binary.
const MAX_BYTES: usize = 64 * 1024;

/// What a session needs before it can be asked anything here.
pub(super) fn prepare() -> String {
    format!(
        "PREPARE ees_heads (text[]) AS {HEADS};
        PREPARE ees_insert (bigint[], text[], bigint[], bigint[], bigint[], bigint[], text[],
                            text[], text[]) AS {INSERT}"
    )
}

/// Opens a transaction, and reads a stream's end as soon as it has the lock.
pub(super) fn open(stream: &StreamId) -> String {
    let stream = literal(stream.as_str());
    format!("{BEGIN}; EXECUTE ees_heads (ARRAY[{stream}])")
}

/// Writes a changeset and makes it last; `None` if it does not go by itself.
pub(super) fn commit(changesets: &[Changeset]) -> Option<String> {
    let [changeset] = changesets else {
        return None;
    };
    if changeset.payload_bytes() > MAX_BYTES {
        return None;
    }
    let values = [
        changeset
            .checkpoint
            .map_or(-1, Checkpoint::as_i64)
            .to_string(),
        literal(changeset.stream_id.as_str()),
        changeset.changeset_id.to_string(),
        changeset.first_event_id.to_string(),
        changeset.last_event_id.to_string(),
        changeset.timestamp.as_micros().to_string(),
        literal(changeset.commit_id.as_str()),
        literal(changeset.metadata.as_str()),
        literal(changeset.events.as_str()),
    ];
    let values = values.join("], ARRAY[");
    Some(format!("EXECUTE ees_insert (ARRAY[{values}]); {COMMIT}"))
}

/// A text as SQL has it where `standard_conforming_strings` is on, which each session sets: only
/// the quote itself means anything.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
