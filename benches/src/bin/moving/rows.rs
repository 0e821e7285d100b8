//! The changesets that are moved.

use ees_core::Changeset;
use ees_core::adapter::StoredChangeset;

/// Changesets of 1 KB, in streams of equal length.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Rows {
    /// How many changesets the store has.
    #[arg(long, default_value_t = 100_000)]
    pub(crate) changesets: u64,
    /// How many changesets a stream has.
    #[arg(long, default_value_t = 10)]
    per_stream: u64,
}

/// A changeset with one event.
pub(crate) struct Row {
    pub(crate) at: i64,
    pub(crate) stream: String,
    pub(crate) id: i64,
    pub(crate) micros: i64,
    pub(crate) key: String,
}

/// The events of each changeset.
pub(crate) fn events() -> String {
    format!("[{{\"type\":\"placed\",\"text\":\"{}\"}}]", "x".repeat(980))
}

impl Rows {
    fn row(self, number: u64) -> Row {
        let at = i64::try_from(number).unwrap();
        Row {
            at,
            stream: format!("order-{}", number / self.per_stream),
            id: i64::try_from(number % self.per_stream + 1).unwrap(),
            micros: 1_700_000_000_000_000 + at,
            key: format!("key-{number}"),
        }
    }

    /// The same as [`Self::changeset`], for baselines, a thousand at a time.
    pub(crate) fn batches(self) -> impl Iterator<Item = Vec<Row>> {
        let batch = move |first: u64| first..(first + 1000).min(self.changesets);
        let firsts = (0..self.changesets).step_by(1000);
        firsts.map(move |first| batch(first).map(|at| self.row(at)).collect())
    }

    /// The changeset at a position.
    pub(crate) fn changeset(self, number: u64, events: &str) -> Changeset {
        let row = self.row(number);
        let stored = StoredChangeset {
            stream_id: &row.stream,
            changeset_id: row.id,
            first_event_id: row.id,
            last_event_id: row.id,
            timestamp_micros: row.micros,
            commit_id: &row.key,
            set: None,
            events,
            metadata: "{}",
            checkpoint: Some(row.at),
        };
        Changeset::try_from(stored).unwrap()
    }
}
