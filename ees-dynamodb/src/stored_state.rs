//! The index state with what is stored beside it.

use ees_core::adapter::IndexState;

use crate::layout::IndexPageSize;

/// The index state as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredState {
    pub(crate) state: IndexState,
    /// The positions in a page of the index.
    pub(crate) size: IndexPageSize,
    /// Whether an import owns the state: no indexer changes it then.
    pub(crate) importing: bool,
}
