//! Examines the file of a store, for `ees verify`.

use std::path::Path;

use ees_core::Checkpoint;
use rusqlite::Connection;

use crate::connect::{Reader, open_to_read};
use crate::error::{open_error, translate};
use crate::lock::real_path;
use crate::opening::check_readable;
use crate::{OpenError, SqliteConfig, client_keys, state, threads};

/// The most findings that are listed.
const MAX_FINDINGS: i64 = 20;

/// What an examination of a file has found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Examined {
    /// What is damaged: the first findings.
    pub findings: Vec<String>,
    /// From where on the checksums of rows date from their commits. Those before are of an upgrade: what
    /// was damaged by then, and was valid, is not noticed.
    pub checksums_from: Checkpoint,
}

/// Examines a file, which may be in use: the structure of its pages, and whether its indexes and its
/// table of clients' keys are those of its rows. Reads of all changesets check the rows themselves.
///
/// # Errors
/// [`OpenError`] if the file cannot be read, or is not a store of this version. What is damaged is a
/// finding.
pub async fn examine(config: &SqliteConfig) -> Result<Examined, OpenError> {
    let path = real_path(&config.path)?;
    let file = path.clone();
    let examined = threads::run("ees-sqlite-examine", move || examine_file(&file)).await;
    examined.map_err(|error| OpenError::NotWritable {
        path,
        reason: format!("a thread could not be run: {error}"),
    })?
}

fn examine_file(path: &Path) -> Result<Examined, OpenError> {
    check_readable(path)?;
    let opened = open_to_read(path).map_err(|error| open_error(path, error))?;
    let (Reader::Lasting(connection) | Reader::Immutable(connection)) = opened;
    let upgrade = state::upgrade(&connection);
    let mut findings = pages(&connection).unwrap_or_else(|error| vec![error.to_string()]);
    match client_keys::lost(&connection) {
        Ok(lost) => findings.extend(lost),
        Err(error) => findings.push(error.to_string()),
    }
    Ok(Examined {
        findings,
        checksums_from: upgrade.map_or(Checkpoint::FIRST, |upgrade| upgrade.dated_from),
    })
}

/// What SQLite finds in the pages, and where the indexes are not those of the rows.
fn pages(connection: &Connection) -> Result<Vec<String>, ees_core::StorageError> {
    let check = format!("PRAGMA integrity_check({MAX_FINDINGS})");
    let mut check = connection.prepare(&check).map_err(translate)?;
    let lines = check.query_map([], |row| row.get::<_, String>(0));
    let lines = lines.and_then(Iterator::collect).map_err(translate)?;
    Ok(if lines == ["ok"] { Vec::new() } else { lines })
}
