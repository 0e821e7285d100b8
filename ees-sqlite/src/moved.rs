//! The fence: the row that says where the store has moved.

use ees_core::StorageError;
use rusqlite::Connection;

use crate::error::translate;
use crate::rows::{optional, text};

const LOAD: &str = "SELECT moved_to FROM fence";

const RAISE: &str = "
    INSERT INTO fence (id, moved_to) VALUES (1, ?1)
    ON CONFLICT (id) DO UPDATE SET moved_to = excluded.moved_to";

const LIFT: &str = "DELETE FROM fence";

/// Where the store has moved; `None` if it has no fence.
pub(crate) fn load(connection: &Connection) -> Result<Option<String>, StorageError> {
    optional(connection, LOAD, [], |row| Ok(text(row, 0)?.to_owned()))
}

pub(crate) fn raise(connection: &Connection, moved_to: &str) -> Result<(), StorageError> {
    let raised = connection.execute(RAISE, [moved_to]);
    raised.map(drop).map_err(translate)
}

pub(crate) fn lift(connection: &Connection) -> Result<(), StorageError> {
    let lifted = connection.execute(LIFT, []);
    lifted.map(drop).map_err(translate)
}
