//! Filtered reads of the global order. PostgreSQL passes what the filter does not select, and sends
//! the changesets that it may select.

use ees_core::adapter::{Look, PageBuilder};
use ees_core::{Changeset, Checkpoint, Filter, GlobalPage, PageLimit, StorageError};
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::readers::Statement;
use crate::rows::{changeset, columns, number};
use crate::storage::{MAX_ROWS, PostgresStorage};

/// Selects the changesets from $3 on, and below $4, that a filter may select, and the head. At most
/// $1 rows, up to and including the row with which the sum of the payloads exceeds $2 bytes. $5 are
/// the prefixes and $6 the types; NULL: any. If it selects none, one row has the head alone.
///
/// The head is read by the same statement, so it is not later than the rows, also on another server
/// that lags.
pub(crate) const FILTERED: &str = concat!(
    "SELECT ",
    columns!(),
    ", head FROM (SELECT coalesce(max(checkpoint) + 1, 0) AS head FROM changesets) AS end_of_order
    LEFT JOIN (
        SELECT ",
    columns!(),
    " FROM (SELECT ",
    columns!(),
    ", sum(payload_bytes) OVER (ORDER BY checkpoint ROWS UNBOUNDED PRECEDING) - payload_bytes
                AS bytes_before
            FROM (SELECT * FROM changesets WHERE checkpoint >= $3 AND checkpoint < $4
                AND ($5::text[] IS NULL OR stream_id ^@ ANY ($5::text[]))
                AND ($6::text[] IS NULL OR event_types IS NULL
                     OR string_to_array(event_types, E'\\n') && $6::text[])
                ORDER BY checkpoint LIMIT $1) AS rows) AS page
        WHERE bytes_before <= $2) AS selected ON true"
);

/// The number of the column `head`.
const HEAD: usize = 10;

/// What PostgreSQL gets of a filter. No text of PostgreSQL contains a NUL, so what contains one is
/// found among the rows without types.
struct Wanted {
    prefixes: Option<Vec<String>>,
    types: Option<Vec<String>>,
}

impl Wanted {
    fn of(filter: &Filter) -> Self {
        let sent = |texts: &[String]| {
            let texts = texts.iter().filter(|text| !text.contains('\0'));
            texts.cloned().collect::<Vec<_>>()
        };
        let given = |texts: &[String]| (!texts.is_empty()).then(|| sent(texts));
        Self {
            prefixes: given(filter.stream_prefixes()),
            types: given(filter.event_types()),
        }
    }
}

/// A page that is read in parts.
struct Filling<'a> {
    filter: &'a Filter,
    page: PageBuilder<Changeset>,
    look: Look,
    next: Checkpoint,
    /// How many rows and bytes the next part has at most.
    rows: usize,
    bytes: usize,
}

impl<'a> Filling<'a> {
    fn ask(&self, wanted: &Wanted) -> Statement<'a> {
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        sqlx::query(FILTERED)
            .bind(number(self.rows))
            .bind(number(self.bytes))
            .bind(self.next.as_i64())
            .bind(self.past().as_i64())
            .bind(wanted.prefixes.clone())
            .bind(wanted.types.clone())
    }

    /// The position at which this part ends at the latest.
    fn past(&self) -> Checkpoint {
        self.next.plus(self.look.changesets_left() as u64)
    }

    /// Takes in a part. Returns whether another one is needed.
    fn take(&mut self, rows: &[PgRow]) -> Result<bool, StorageError> {
        let head = rows.first().map(|row| number(row, HEAD)).transpose()?;
        let end = self.past().min(head.unwrap_or(self.next));
        let found = rows.iter().filter(|row| has_changeset(row));
        let mut found = found.map(changeset).collect::<Result<Vec<_>, _>>()?;
        // The statement gives them in this order, which no clause of it promises.
        found.sort_by_key(|changeset| changeset.checkpoint);
        let bytes: usize = found.iter().map(Changeset::payload_bytes).sum();
        let is_all = found.len() < self.rows && bytes <= self.bytes;
        let passed = end.get().saturating_sub(self.next.get());
        for changeset in found {
            let position = changeset.checkpoint.unwrap_or(self.next);
            self.look.read(&changeset);
            if self.filter.matches(&changeset) && !self.page.push_changeset(changeset) {
                self.next = position;
                return Ok(false);
            }
            self.next = position.plus(1);
        }
        if is_all {
            self.next = self.next.max(end);
            self.look
                .pass(usize::try_from(passed).unwrap_or(usize::MAX));
        }
        self.rows = self.rows.saturating_mul(2).min(MAX_ROWS);
        Ok(!is_all && !self.page.is_full() && !self.look.is_over())
    }
}

/// Whether a row has a changeset, and not the head alone.
fn has_changeset(row: &PgRow) -> bool {
    let checkpoint: Result<Option<i64>, _> = row.try_get(0);
    !matches!(checkpoint, Ok(None))
}

impl PostgresStorage {
    pub(crate) async fn filtered(
        &self,
        from: Checkpoint,
        limit: PageLimit,
        filter: &Filter,
    ) -> Result<GlobalPage, StorageError> {
        let wanted = Wanted::of(filter);
        let mut filling = Filling {
            filter,
            page: PageBuilder::new(limit),
            look: Look::begin(),
            next: from,
            rows: limit.max_items().min(MAX_ROWS),
            bytes: limit.bytes,
        };
        loop {
            let rows = self.all(|| filling.ask(&wanted)).await?;
            if !filling.take(&rows)? {
                return Ok(GlobalPage {
                    changesets: filling.page.finish().items,
                    next: filling.next,
                });
            }
        }
    }
}
