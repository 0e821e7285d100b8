//! The positions without a changeset, which only an import makes (G14). A reader looks here if a page
//! is not dense.

use std::ops::Range;

use ees_core::{Changeset, Checkpoint, GlobalPage, StorageError};

use crate::PostgresStorage;
use crate::readers::Statement;
use crate::rows::number;

/// Selects the ranges from the one that may contain $1 to the last one that begins before $2.
pub(crate) const BETWEEN: &str = "
    SELECT first, past FROM void_positions
    WHERE first >= coalesce((SELECT max(first) FROM void_positions WHERE first <= $1), 0)
      AND first < $2
    ORDER BY first";

const INSERT: &str = "
    INSERT INTO void_positions (first, past)
    SELECT first, past FROM unnest($1::bigint[], $2::bigint[]) AS new (first, past)";

impl PostgresStorage {
    /// The page of the changesets that were read from a checkpoint on.
    pub(crate) async fn page(
        &self,
        from: Checkpoint,
        changesets: Vec<Changeset>,
    ) -> Result<GlobalPage, StorageError> {
        let past = changesets.last().and_then(|last| last.checkpoint);
        let past = past.map_or(from, |last| last.plus(1));
        if past == from.plus(changesets.len() as u64) {
            return GlobalPage::dense(from, changesets);
        }
        let between = || sqlx::query(BETWEEN).bind(from.as_i64()).bind(past.as_i64());
        let rows = self.all(between).await?;
        let voids = rows.iter().map(|row| Ok(number(row, 0)?..number(row, 1)?));
        let voids = voids.collect::<Result<Vec<_>, StorageError>>()?;
        GlobalPage::dense_but_for(from, changesets, &voids)
    }
}

/// Stores ranges.
pub(crate) fn insert<'q>(voids: &[Range<Checkpoint>]) -> Statement<'q> {
    let first: Vec<i64> = voids.iter().map(|void| void.start.as_i64()).collect();
    let past: Vec<i64> = voids.iter().map(|void| void.end.as_i64()).collect();
    sqlx::query(INSERT).bind(first).bind(past)
}
