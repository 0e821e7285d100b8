//! The stored identity of the store.

use ees_core::{Identity, StorageError, Written};
use rusqlite::Connection;

use crate::error::translate;
use crate::rows::optional;
use crate::state;

const LOAD: &str = "SELECT identity FROM identity";

/// Stores the first identity.
pub(crate) const STORE: &str =
    "INSERT INTO identity (id, identity) VALUES (1, ?1) ON CONFLICT DO NOTHING";

/// Replaces an identity.
pub(crate) const REPLACE: &str = "UPDATE identity SET identity = ?1 WHERE identity = ?2";

const OVERWRITE: &str = "
    INSERT INTO identity (id, identity) VALUES (1, ?1)
    ON CONFLICT (id) DO UPDATE SET identity = excluded.identity";

/// Reads the stored identity.
pub(crate) fn load(connection: &Connection) -> Result<Option<Identity>, StorageError> {
    let text = optional(connection, LOAD, [], |row| {
        row.get::<_, String>(0).map_err(translate)
    })?;
    text.as_deref().map(Identity::of_text).transpose()
}

/// The error where a store needs an identity, and its file is opened to read.
pub(crate) fn missing() -> StorageError {
    let reason = "the store has no id yet, and its file is opened to read. `ees serve` gives it one, and so \
                  does `EventStore::identity` in the program that writes to it";
    StorageError::unavailable(reason, Written::None)
}

/// Gives a file a new identity, if it has one. A copy of a store is another store.
pub(crate) fn renew(connection: &Connection) -> Result<(), StorageError> {
    if let Some(stored) = load(connection)? {
        let head = state::end(connection)?;
        let next = stored.renewed(head, None);
        overwrite(connection, &next).map_err(translate)?;
    }
    Ok(())
}

/// Stores an identity, whatever is stored.
pub(crate) fn overwrite(connection: &Connection, identity: &Identity) -> rusqlite::Result<()> {
    connection
        .execute(OVERWRITE, [identity.to_text()])
        .map(drop)
}
