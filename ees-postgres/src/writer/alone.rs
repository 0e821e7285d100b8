//! A commit that nobody else waits beside, in two messages instead of four.
//!
//! PostgreSQL takes several statements in one message of its simple protocol, and runs them one
//! after another as if each had come by itself: at READ COMMITTED each sees what was committed
//! before it began. They are prepared once a session; the values go as literals.

use ees_core::{Changeset, Checkpoint, StreamId};

use crate::rows::columns;

pub(super) const COMMIT: &str = "COMMIT";

/// The most bytes of payload that go as literals; larger ones go in binary.
const MAX_BYTES: usize = 64 * 1024;

/// What a session needs before it can be asked anything here.
///
/// The lock's second half is the table itself, so that each schema has a lock of its own; the
/// first, "EES1", keeps it apart from other programs' locks. `ees_head` answers as
/// [`HEADS`](super::HEADS) does for one stream, and `ees_insert` writes as `INSERT` does for one row.
pub(super) const PREPARE: &str = concat!(
    "PREPARE ees_lock AS
        SELECT pg_advisory_xact_lock(1162171185, 'changesets'::regclass::oid::integer);
    PREPARE ees_head (text) AS
        SELECT next.checkpoint, head.stream_id, head.changeset_id, head.last_event_id,
               head.\"timestamp\"
        FROM (SELECT coalesce(max(checkpoint) + 1, 0) AS checkpoint FROM changesets) AS next
        LEFT JOIN LATERAL (
            SELECT stream_id, changeset_id, last_event_id, \"timestamp\" FROM changesets
            WHERE changesets.stream_id = $1
            ORDER BY changeset_id DESC LIMIT 1) AS head ON true;
    PREPARE ees_insert (bigint, text, bigint, bigint, bigint, bigint, text, text, text) AS
        INSERT INTO changesets (",
    columns!(),
    ", payload_bytes)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8::json, $9::json,
                octet_length($8) + octet_length($9))"
);

/// Opens a transaction, waits for the lock, and then reads the next checkpoint and a stream's end.
pub(super) fn open(stream: &StreamId) -> String {
    format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; EXECUTE ees_lock; EXECUTE ees_head ({})",
        literal(stream.as_str())
    )
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
    let values = values.join(", ");
    Some(format!("EXECUTE ees_insert ({values}); {COMMIT}"))
}

/// A text as SQL has it where `standard_conforming_strings` is on, which each session sets: only
/// the quote itself means anything.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
