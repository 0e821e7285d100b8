//! What a verification tells.

use ees_core::StoreId;

use crate::finding::Finding;
use crate::hash::Hash;

/// What a verification has found.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// The store's id.
    pub store: StoreId,
    /// The end of what was read.
    pub size: u64,
    /// The root of the tree over it.
    pub root: Hash,
    /// The number of changesets in it.
    pub changesets: u64,
    /// The number of void positions in it.
    pub voids: u64,
    /// The size up to which the log is sealed; 0 if there is none.
    pub sealed: u64,
    /// The newest signed head, if there is one.
    pub signed: Option<String>,
    /// How many ends of streams were looked up, since only the last million streams is remembered.
    pub looked_up: u64,
    /// What is not as it should be: the first ones.
    pub findings: Vec<Finding>,
    /// How many these are.
    pub findings_count: u64,
}

impl Verified {
    /// Whether something is changed.
    pub fn is_altered(&self) -> bool {
        self.findings.iter().any(|finding| !finding.is_missing)
    }

    /// Whether something is gone.
    pub fn is_missing(&self) -> bool {
        self.findings.iter().any(|finding| finding.is_missing)
    }
}
