//! The head of the log: how far it is sealed.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ees_core::adapter::{StoredLogHead, Tile};
use ees_core::{Checkpoint, GlobalPage, StoreId};
use serde::{Deserialize, Serialize};

use crate::edge::Edge;
use crate::error::{LogError, damaged};
use crate::hash::{Hash, leaf_of, void_leaf};

/// The head of a store's log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogHead {
    /// The number of leaves: every position below it is sealed.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
    /// The signed heads that are kept, by size.
    pub signed: Vec<SignedNote>,
    /// The store that was copied or restored to this one, if its log had been sealed.
    pub parent: Option<Parent>,
    pub(crate) edge: Edge,
    pub(crate) store: StoreId,
    pub(crate) revision: Option<u64>,
}

/// A signed head that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedNote {
    /// Its size.
    pub size: u64,
    /// The signed note.
    pub note: String,
}

/// The log that this one goes on from: a store gets another id when it is restored from a copy, and its
/// log another origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// The store's former id.
    pub store: StoreId,
    /// The size up to which both logs are the same.
    pub size: u64,
    /// The root of both logs at that size, in base64.
    pub root: String,
}

/// The document that is stored.
#[derive(Serialize, Deserialize)]
struct Document {
    size: u64,
    root: String,
    store: StoreId,
    edge: Vec<String>,
    signed: Vec<SignedNote>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<Parent>,
}

impl LogHead {
    /// The head of a store of which nothing is sealed yet.
    pub(crate) fn empty(store: StoreId) -> Self {
        let edge = Edge::default();
        Self {
            size: 0,
            root: edge.root(),
            signed: Vec::new(),
            parent: None,
            edge,
            store,
            revision: None,
        }
    }

    pub(crate) fn read(stored: &StoredLogHead) -> Result<Self, LogError> {
        let document: Document = serde_json::from_str(&stored.document).map_err(damaged)?;
        let decode = |level: &String| BASE64_STANDARD.decode(level);
        let levels: Result<Vec<_>, _> = document.edge.iter().map(decode).collect();
        let edge = Edge::read(document.size, &levels.map_err(damaged)?)
            .ok_or_else(|| damaged("its right edge does not belong to its size"))?;
        let root = edge.root();
        if root.to_string() != document.root {
            return Err(damaged("its root is not the one over its right edge"));
        }
        Ok(Self {
            size: document.size,
            root,
            signed: document.signed,
            parent: document.parent,
            edge,
            store: document.store,
            revision: Some(stored.revision),
        })
    }

    /// The head as it is stored after this one's revision.
    pub(crate) fn to_stored(&self) -> Result<StoredLogHead, LogError> {
        let document = Document {
            size: self.size,
            root: self.root.to_string(),
            store: self.store,
            edge: self
                .edge
                .levels()
                .map(|level| BASE64_STANDARD.encode(level))
                .collect(),
            signed: self.signed.clone(),
            parent: self.parent.clone(),
        };
        Ok(StoredLogHead {
            revision: self.revision.map_or(0, |revision| revision + 1),
            document: serde_json::to_string(&document).map_err(damaged)?,
        })
    }

    /// The next checkpoint to seal.
    pub(crate) fn next(&self) -> Checkpoint {
        Checkpoint::FIRST.plus(self.size)
    }

    /// The newest signed head, or the one of a size.
    pub(crate) fn signed(&self, size: Option<u64>) -> Result<&SignedNote, LogError> {
        let found = match size {
            Some(size) => self.signed.iter().find(|signed| signed.size == size),
            None => self.signed.last(),
        };
        found.ok_or(LogError::NotSigned { size })
    }

    /// The head belongs to the store with this id from now on. Returns whether it belonged to another.
    pub(crate) fn belongs_to(&mut self, store: StoreId) -> bool {
        let is_moved = self.store != store && self.size > 0;
        if is_moved {
            self.parent = Some(Parent {
                store: self.store,
                size: self.size,
                root: self.root.to_string(),
            });
            // Other heads of these sizes may have been signed under the former id since.
            self.signed.clear();
        }
        self.store = store;
        is_moved
    }

    /// Adds the leaves of a page that begins where the head ends: at most `limit` of them. The root is
    /// that of [`LogHead::rooted`].
    pub(crate) fn grow(
        &mut self,
        leaves: &mut impl Iterator<Item = Hash>,
        limit: usize,
    ) -> Vec<Tile> {
        let mut full = Vec::new();
        for leaf in leaves.take(limit) {
            self.edge.push(self.size, leaf, &mut full);
            self.size += 1;
        }
        self.root = self.edge.root();
        full
    }
}

/// The leaves of a page, from a checkpoint on: those of its changesets, and of the void positions
/// between them.
pub(crate) fn leaves(from: Checkpoint, page: &GlobalPage) -> impl Iterator<Item = Hash> {
    let mut next = from;
    let changesets = page.changesets.iter().flat_map(move |changeset| {
        let at = changeset.checkpoint.unwrap_or(next);
        let voids = at.get().saturating_sub(next.get());
        next = at.plus(1);
        voids_of(voids).chain([leaf_of(changeset)])
    });
    let last = page.changesets.last().and_then(|last| last.checkpoint);
    let end = last.map_or(from, |last| last.plus(1));
    changesets.chain(voids_of(page.next.get().saturating_sub(end.get())))
}

fn voids_of(count: u64) -> impl Iterator<Item = Hash> {
    std::iter::repeat_n(void_leaf(), usize::try_from(count).unwrap_or(usize::MAX))
}
