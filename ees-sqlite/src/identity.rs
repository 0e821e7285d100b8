//! The stored identity of the store.

use ees_core::{Identity, StorageError};
use rusqlite::Connection;

use crate::error::translate;
use crate::rows::optional;

const LOAD: &str = "SELECT identity FROM identity";

/// Stores the first identity.
pub(crate) const STORE: &str =
    "INSERT INTO identity (id, identity) VALUES (1, ?1) ON CONFLICT DO NOTHING";

/// Replaces an identity.
pub(crate) const REPLACE: &str = "UPDATE identity SET identity = ?1 WHERE identity = ?2";

/// Reads the stored identity.
pub(crate) fn load(connection: &Connection) -> Result<Option<Identity>, StorageError> {
    let text = optional(connection, LOAD, [], |row| {
        row.get::<_, String>(0).map_err(translate)
    })?;
    text.as_deref().map(Identity::of_text).transpose()
}
