//! The store that is imported into, as a whole: it is sealed, read back, and closed.

use std::time::Duration;

use ees_core::{Checkpoint, Identity};
use futures_timer::Delay;

use crate::hash::Hash;
use crate::known::tree_of;
use crate::moving::MovableStore;
use crate::moving_error::MoveError;
use crate::part::Header;
use crate::sealer::Sealer;
use crate::tree::Tree;

/// How often the store is sealed again, although its order goes on, and the pause between. The reads of
/// a storage that orders after the commit may lag.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(50);

/// The store that is imported into, and what seals its log.
pub(crate) struct ImportTarget {
    store: MovableStore,
    sealer: Option<Sealer>,
}

impl ImportTarget {
    pub(crate) fn new(store: &MovableStore) -> Self {
        Self {
            store: store.clone(),
            sealer: Sealer::of(&store.store, None),
        }
    }

    pub(crate) fn max_line_bytes(&self) -> usize {
        // As a JSON string a text of JSON has at most twice its length. A partition of a consumer has up
        // to 1000 parked streams.
        2 * self.store.store.max_changeset_bytes() + 16 * 1024 * 1024
    }

    /// The tree over what the store has below an export, and the end of the store.
    pub(crate) async fn begin(&self, header: &Header) -> Result<(Tree, Checkpoint), MoveError> {
        let store = &self.store.store;
        let end = store.next_checkpoint().await?;
        let from = header.from;
        if from > end {
            return Err(MoveError::Behind { end, from });
        }
        self.seal(end).await?;
        let tree = tree_of(store, from).await?;
        if tree.root() != header.root {
            return Err(MoveError::DiffersBelow(from));
        }
        Ok((tree, end))
    }

    /// Seals the log of the store up to a position, by reading.
    async fn seal(&self, until: Checkpoint) -> Result<(), MoveError> {
        let Some(sealer) = &self.sealer else {
            return Ok(());
        };
        for _ in 0..TRIES {
            if sealer.catch_up().await?.size >= until.get() {
                return Ok(());
            }
            Delay::new(PAUSE).await;
        }
        Err(MoveError::ReadBack { size: until })
    }

    /// Reads what the store has up to a position, and compares it with what was imported.
    pub(crate) async fn read_back(&self, until: Checkpoint, root: Hash) -> Result<(), MoveError> {
        self.seal(until).await?;
        let stored = tree_of(&self.store.store, until).await?;
        if stored.root() != root {
            return Err(MoveError::ReadBack { size: until });
        }
        Ok(())
    }

    /// Records where the data came from, and opens the store for commits.
    pub(crate) async fn close(
        &self,
        source: Option<&Identity>,
        size: u64,
        root: Hash,
    ) -> Result<(), MoveError> {
        if let Some(source) = source {
            let store = &self.store.store;
            let own = store.identity().await?;
            if own.id != source.id {
                store
                    .copied_from(source, Checkpoint::FIRST.plus(size))
                    .await?;
                if let Some(sealer) = &self.sealer {
                    sealer.continues(source.id, size, root).await?;
                }
            }
        }
        Ok(self.store.import.finish_import().await?)
    }
}
