//! What an import has done.

use crate::import_rest::Progressed;

/// What an import has done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// The end of the global order.
    pub size: u64,
    /// The root of the tree over it, in base64.
    pub root: String,
    /// The changesets that this call has written; the others stood already.
    pub changesets: u64,
    /// How far readers had come.
    pub progress: Progressed,
}
