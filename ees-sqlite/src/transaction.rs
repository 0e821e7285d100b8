//! Statements around a transaction.

use rusqlite::Connection;

/// Runs a statement that is prepared once.
pub(crate) fn execute(connection: &Connection, statement: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(statement)?.execute([])?;
    Ok(())
}

/// Rolls a transaction back if one is open. After some errors SQLite has done so itself.
pub(crate) fn end(connection: &Connection) {
    if !connection.is_autocommit() {
        // If it fails, the next BEGIN fails and says why.
        let _ = execute(connection, "ROLLBACK");
    }
}
