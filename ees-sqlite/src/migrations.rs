//! The versions of the schema, and the table in which a file records its versions.
//!
//! The table has the form that sqlx gives it, as the first releases used sqlx. A release refuses the
//! files of a later version of the schema.

use std::path::Path;
use std::time::Instant;

use ees_core::StorageError;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use sha2::{Digest, Sha384};

use crate::OpenError;
use crate::client_keys::define_key_hash;
use crate::error::{open_error, translate, unreadable};
use crate::{row_check, state, upgrade};

/// A version of the schema. A released version is never changed.
struct Migration {
    version: i64,
    name: &'static str,
    sql: &'static str,
}

/// All versions, oldest first.
const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "changesets",
        sql: include_str!("../migrations/0001_changesets.sql"),
    },
    Migration {
        version: 2,
        name: "client keys",
        sql: include_str!("../migrations/0002_client_keys.sql"),
    },
    Migration {
        version: 3,
        name: "no index by event",
        sql: include_str!("../migrations/0003_no_index_by_event.sql"),
    },
    Migration {
        version: 4,
        name: "identity",
        sql: include_str!("../migrations/0004_identity.sql"),
    },
    Migration {
        version: 5,
        name: "event types",
        sql: include_str!("../migrations/0005_event_types.sql"),
    },
    Migration {
        version: 6,
        name: "consumers",
        sql: include_str!("../migrations/0006_consumers.sql"),
    },
    Migration {
        version: 7,
        name: "filed keys",
        sql: include_str!("../migrations/0007_filed_keys.sql"),
    },
    Migration {
        version: 8,
        name: "sets",
        sql: include_str!("../migrations/0008_sets.sql"),
    },
    Migration {
        version: 9,
        name: "evidence",
        sql: include_str!("../migrations/0009_evidence.sql"),
    },
    Migration {
        version: 10,
        name: "checksums",
        sql: include_str!("../migrations/0010_checksums.sql"),
    },
];

const CREATE_TABLE: &str = "
CREATE TABLE IF NOT EXISTS _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success BOOLEAN NOT NULL,
    checksum BLOB NOT NULL,
    execution_time BIGINT NOT NULL
);";

const APPLIED: &str = "SELECT version, success, checksum FROM _sqlx_migrations ORDER BY version";

const RECORD: &str = "
    INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
    VALUES (?1, ?2, TRUE, ?3, ?4)";

/// A row of the table.
struct Applied {
    version: i64,
    success: bool,
    checksum: Vec<u8>,
}

/// Brings a file to the newest version: its schema in one transaction, and its rows in several ones.
pub(crate) fn migrate(path: &Path, connection: &mut Connection) -> Result<(), OpenError> {
    let failed = |error| open_error(path, error);
    define_key_hash(connection).map_err(failed)?;
    if is_before_checksums(connection).map_err(failed)? {
        check_known(path, connection)?;
        upgrade::check(connection).map_err(|error| unreadable(path, error))?;
    }
    apply_missing(path, connection)?;
    upgrade::finish(connection).map_err(|error| unreadable(path, error))
}

/// Applies the versions that the schema lacks, in one transaction.
pub(crate) fn apply_missing(path: &Path, connection: &mut Connection) -> Result<(), OpenError> {
    let failed = |error| open_error(path, error);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate);
    let transaction = transaction.map_err(failed)?;
    let applied = applied(&transaction).map_err(failed)?;
    check(path, &applied)?;
    let missing = |migration: &&Migration| {
        let mut applied = applied.iter();
        !applied.any(|applied| applied.version == migration.version)
    };
    for migration in MIGRATIONS.iter().filter(missing) {
        apply(&transaction, migration).map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

/// Refuses the file of a later version, or of another program.
pub(crate) fn check_known(path: &Path, connection: &Connection) -> Result<(), OpenError> {
    let applied = read(connection).map_err(|error| open_error(path, error))?;
    check(path, &applied)
}

/// Whether a file has every version of the schema, and its rows have theirs.
pub(crate) fn is_newest(connection: &Connection) -> rusqlite::Result<bool> {
    if read(connection)?.len() != MIGRATIONS.len() {
        return Ok(false);
    }
    // A row that cannot be read is told by whoever needs it.
    Ok(state::upgrade(connection).is_ok_and(state::Upgrade::is_finished))
}

/// Checks the pages and the rows of a file of any version.
///
/// # Errors
/// [`StorageError::Corrupt`] says what is damaged.
pub(crate) fn check_content(connection: &Connection) -> Result<(), StorageError> {
    if is_before_checksums(connection).map_err(translate)? {
        return upgrade::check(connection);
    }
    upgrade::check_pages(connection)?;
    if is_newest(connection).map_err(translate)? {
        return row_check::check_all(connection);
    }
    Ok(())
}

/// Whether a file has changesets, which have no checksums.
pub(crate) fn is_before_checksums(connection: &Connection) -> rusqlite::Result<bool> {
    let tables = "SELECT count(*) FILTER (WHERE name = 'changesets') > 0
        AND count(*) FILTER (WHERE name = 'state') = 0 FROM sqlite_schema";
    connection.query_row(tables, [], |row| row.get(0))
}

fn applied(transaction: &Transaction<'_>) -> rusqlite::Result<Vec<Applied>> {
    transaction.execute_batch(CREATE_TABLE)?;
    read(transaction)
}

fn read(connection: &Connection) -> rusqlite::Result<Vec<Applied>> {
    let mut statement = connection.prepare(APPLIED)?;
    let rows = statement.query_map([], |row| {
        Ok(Applied {
            version: row.get(0)?,
            success: row.get(1)?,
            checksum: row.get(2)?,
        })
    })?;
    rows.collect()
}

fn check(path: &Path, applied: &[Applied]) -> Result<(), OpenError> {
    let not_ours = |found| OpenError::NotOurs {
        path: path.to_owned(),
        found,
    };
    if applied.iter().any(|applied| !applied.success) {
        return Err(not_ours("a migration of its schema was not finished"));
    }
    for applied in applied {
        let mut known = MIGRATIONS.iter();
        let Some(known) = known.find(|known| known.version == applied.version) else {
            return Err(OpenError::Newer {
                path: path.to_owned(),
                found: applied.version,
                known: MIGRATIONS.last().map_or(0, |last| last.version),
            });
        };
        if applied.checksum != known.checksum() {
            return Err(not_ours("its schema was made by an unknown program"));
        }
    }
    Ok(())
}

fn apply(transaction: &Transaction<'_>, migration: &Migration) -> rusqlite::Result<()> {
    let start = Instant::now();
    transaction.execute_batch(migration.sql)?;
    let nanos = i64::try_from(start.elapsed().as_nanos()).unwrap_or(i64::MAX);
    let checksum = migration.checksum();
    let row = params![migration.version, migration.name, checksum, nanos];
    transaction.execute(RECORD, row)?;
    Ok(())
}

impl Migration {
    fn checksum(&self) -> Vec<u8> {
        Sha384::digest(self.sql).to_vec()
    }
}
