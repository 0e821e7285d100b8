//! What is needed of a store to move its data.

use std::fmt;
use std::sync::Arc;

use ees_core::adapter::Import;
use ees_core::{CheckpointStore, EventStore, Filter};

/// A store whose data is exported or imported: the use cases, and the two ports that they lack.
#[derive(Clone)]
pub struct MovableStore {
    pub(crate) store: EventStore,
    pub(crate) checkpoints: Arc<dyn CheckpointStore>,
    pub(crate) import: Arc<dyn Import>,
}

impl MovableStore {
    /// A store with the port that keeps the checkpoints of its subscriptions, and the one that writes
    /// imported changesets.
    pub fn new(
        store: &EventStore,
        checkpoints: Arc<dyn CheckpointStore>,
        import: Arc<dyn Import>,
    ) -> Self {
        Self {
            store: store.with_filter(Filter::default()),
            checkpoints,
            import,
        }
    }

    /// The use cases.
    pub fn store(&self) -> &EventStore {
        &self.store
    }
}

impl fmt::Debug for MovableStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MovableStore").finish_non_exhaustive()
    }
}
