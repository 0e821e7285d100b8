//! How far the index has come.

use ees_core::Checkpoint;

use crate::tables::Part;
use crate::{Admin, OpenError, items};

/// How far the index has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct IndexStatus {
    /// How often positions were reserved.
    pub rev: u64,
    /// The position that the next changeset gets.
    pub next: Checkpoint,
    /// How many of the positions that were reserved last are not written yet.
    pub pending: usize,
    /// How many positions are void.
    pub voids: u64,
}

impl Admin {
    /// Tells how far the index has come.
    ///
    /// # Errors
    /// [`OpenError`], also if there is no state.
    pub async fn status(&self) -> Result<IndexStatus, OpenError> {
        self.tables.check_both().await?;
        let state = self.tables.state().await?;
        let members = self.tables.batch(&state.intent, Part::Numbers).await?;
        let written = members.values().map(items::position);
        let written = written.filter(|position| matches!(position, Ok(Some(_))));
        let voids = self.tables.voids().await?;
        Ok(IndexStatus {
            rev: state.rev,
            next: state.next(),
            pending: state.intent.len() - written.count(),
            voids: voids.ranges().map(|(from, to)| to - from + 1).sum(),
        })
    }
}
