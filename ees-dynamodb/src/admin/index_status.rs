//! The status of the index.

use ees_core::Checkpoint;

use crate::stored_state::StoredState;
use crate::tables::{Part, Recognised};
use crate::{Admin, OpenError, items};

/// The status of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct IndexStatus {
    /// The revision of the index state, which increases with each swap.
    pub rev: u64,
    /// The next position to assign.
    pub next: Checkpoint,
    /// The number of positions that are reserved and not written yet.
    pub pending: usize,
    /// The number of void positions.
    pub voids: u64,
    /// Whether an import has begun and was not finished. Meanwhile the store takes no commits.
    pub importing: bool,
}

impl Admin {
    /// Reads the status of the index.
    ///
    /// # Errors
    /// [`OpenError`], also if there is no state.
    pub async fn status(&self) -> Result<IndexStatus, OpenError> {
        let Recognised { tables, .. } = self.tables.recognise().await?;
        let StoredState {
            state, importing, ..
        } = tables.state().await?;
        let members = tables.batch(&state.intent, Part::Numbers).await?;
        let written = members.values();
        let written = written.map(|item| items::position(item, tables.layout.index_page));
        let written = written.filter(|position| matches!(position, Ok(Some(_))));
        let voids = tables.voids().await?;
        Ok(IndexStatus {
            rev: state.rev,
            next: state.next(),
            pending: state.intent.len() - written.count(),
            voids: voids.ranges().map(|(from, to)| to - from + 1).sum(),
            importing,
        })
    }
}
