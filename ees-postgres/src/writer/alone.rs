//! A batch of one commit, in two messages instead of four.
//!
//! PostgreSQL accepts several statements in one message of its simple protocol. It runs them one
//! after another, as if each had arrived in its own message: at READ COMMITTED each statement sees
//! what was committed before it began. The statements are prepared once for each session, and the
//! values are literals.

use ees_core::adapter::Commit;
use ees_core::{Changeset, Checkpoint};

use crate::rows::columns;
use crate::session::lock;

pub(super) const COMMIT: &str = "COMMIT";

/// The maximum size of a payload that is sent as a literal, in bytes. Larger payloads are sent in
/// binary by the other path.
const MAX_BYTES: usize = 64 * 1024;

/// Prepares the statements of a session.
///
/// `ees_lock` takes the store's lock. `ees_head` returns what [`HEADS`](super::HEADS) returns for one
/// stream, `ees_key` what [`HEADS_AND_KEYS`](super::HEADS_AND_KEYS) returns for one key, and
/// `ees_insert` inserts one row.
pub(super) const PREPARE: &str = concat!(
    "PREPARE ees_lock AS ",
    lock!(),
    ";
    PREPARE ees_head (text) AS
        SELECT next.checkpoint, head.stream_id, head.changeset_id, head.last_event_id,
               head.\"timestamp\", (SELECT moved_to FROM fence WHERE id = 1)
        FROM (SELECT coalesce(max(checkpoint) + 1, 0) AS checkpoint FROM changesets) AS next
        LEFT JOIN LATERAL (
            SELECT stream_id, changeset_id, last_event_id, \"timestamp\" FROM changesets
            WHERE changesets.stream_id = $1
            ORDER BY changeset_id DESC LIMIT 1) AS head ON true;
    PREPARE ees_key (text, text) AS
        SELECT NULL::bigint, stream_id, changeset_id, NULL::bigint, NULL::bigint, NULL::text,
               commit_id
        FROM changesets
        WHERE hashtextextended(commit_id, hashtextextended(stream_id, 0))
              = hashtextextended($2, hashtextextended($1, 0))
          AND stream_id = $1 AND commit_id = $2 AND left(commit_id, 4) <> 'ees-'
        ORDER BY changeset_id LIMIT 1;
    PREPARE ees_insert (bigint, text, bigint, bigint, bigint, bigint, text, text, text, text,
                         text) AS
        INSERT INTO changesets (",
    columns!(),
    ", payload_bytes, event_types)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8::json, $9::json, $10,
                octet_length($8) + octet_length($9), $11)"
);

/// Opens a transaction, waits for the lock, and then reads the next checkpoint, the fence and the
/// head of a commit's stream. If the commit has a client's key, the changeset that has this key is read too.
pub(super) fn open(commit: &Commit) -> String {
    let stream = literal(commit.stream_id.as_str());
    let open = format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; EXECUTE ees_lock; EXECUTE ees_head ({stream})"
    );
    if !commit.commit_id.is_clients() {
        return open;
    }
    let key = literal(commit.commit_id.as_str());
    format!("{open}; EXECUTE ees_key ({stream}, {key})")
}

/// Inserts one changeset and commits. `None` if the batch has several changesets or a large
/// payload.
pub(super) fn commit(changesets: &[Changeset]) -> Option<String> {
    let [changeset] = changesets else {
        return None;
    };
    if changeset.payload_bytes() > MAX_BYTES {
        return None;
    }
    let types = changeset.events.types();
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
        optional(changeset.set.map(|set| set.to_string()).as_deref()),
        optional(types.as_deref()),
    ];
    let values = values.join(", ");
    Some(format!("EXECUTE ees_insert ({values}); {COMMIT}"))
}

/// A text as a SQL literal, or NULL.
fn optional(text: Option<&str>) -> String {
    text.map_or_else(|| "NULL".to_owned(), literal)
}

/// Quotes a text as a SQL literal. Every session sets `standard_conforming_strings` to on, so only
/// the quote itself must be escaped.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
