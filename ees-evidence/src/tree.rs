//! The tree over the first positions of a store, while it grows.

use ees_core::Checkpoint;
use ees_core::adapter::Tile;

use crate::edge::Edge;
use crate::hash::Hash;

/// A tree that grows by one leaf after another.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree {
    pub(crate) size: u64,
    edge: Edge,
}

impl Tree {
    pub(crate) fn new(size: u64, edge: Edge) -> Self {
        Self { size, edge }
    }

    /// Adds a leaf, and the tiles that it fills to `full`.
    pub(crate) fn push(&mut self, leaf: Hash, full: &mut Vec<Tile>) {
        self.edge.push(self.size, leaf, full);
        self.size += 1;
    }

    /// The position of the next leaf.
    pub(crate) fn next(&self) -> Checkpoint {
        Checkpoint::FIRST.plus(self.size)
    }

    pub(crate) fn root(&self) -> Hash {
        self.edge.root()
    }
}
