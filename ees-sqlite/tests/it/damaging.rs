//! Damages rows of a store, from a second connection to its file.

use std::path::Path;

use ees_conformance::Damage;
use rusqlite::{Connection, params};

/// Inserts a member into each event, which is an object.
const PAYLOAD: &str = "UPDATE changesets SET events = replace(events, '}', ',\"changed\":true}')";

/// Each of these columns can be read without the payload.
const FRAMES: [&str; 3] = [
    "UPDATE changesets SET event_types = 'changed'",
    "UPDATE changesets SET commit_id = 'changed'",
    "UPDATE changesets SET timestamp = timestamp + 1000000",
];

/// Damages a row. The id of the changeset chooses which column of its frame is changed.
pub(crate) fn damage(file: &Path, stream_id: &str, changeset_id: u64, damage: Damage) {
    let change = match damage {
        Damage::Lost => "DELETE FROM changesets",
        Damage::Payload => PAYLOAD,
        Damage::Frame => FRAMES[usize::try_from(changeset_id % 3).expect("a small number")],
    };
    let connection = Connection::open(file).expect("a connection");
    let change = format!("{change} WHERE stream_id = ?1 AND changeset_id = ?2");
    let id = changeset_id.cast_signed();
    let changed = connection.execute(&change, params![stream_id, id]);
    assert_eq!(changed.expect("the damage"), 1, "one row is damaged");
}
