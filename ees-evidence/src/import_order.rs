//! The changesets of an import: each block is compared with its root, and then written.

use ees_core::adapter::ImportOutcome;
use ees_core::{Changeset, Checkpoint, EventStore, GlobalPage, MAX_PAGE_BYTES};

use crate::hash::{Hash, leaf_of, void_leaf};
use crate::known::Leaves;
use crate::moving::MovableStore;
use crate::moving_error::MoveError;
use crate::part::BLOCK_ITEMS;
use crate::tree::Tree;

/// Writes what the store does not have, and compares what it has.
pub(crate) struct OrderWriter {
    target: MovableStore,
    /// The tree over all parts so far.
    pub(crate) tree: Tree,
    /// The position of the last root.
    checked: Checkpoint,
    /// The changesets behind the last root, and their leaves, with those of void positions.
    block: Vec<Changeset>,
    block_bytes: usize,
    leaves: Vec<Hash>,
    /// What the store had before the import.
    stood: Option<Leaves>,
    stood_until: Checkpoint,
    /// Where the store ends.
    end: Checkpoint,
    is_writing: bool,
    /// How many changesets were written.
    pub(crate) written: u64,
}

impl OrderWriter {
    pub(crate) fn new(target: &MovableStore) -> Self {
        let first = Checkpoint::FIRST;
        Self {
            target: target.clone(),
            tree: Tree::default(),
            checked: first,
            block: Vec::new(),
            block_bytes: 0,
            leaves: Vec::new(),
            stood: None,
            stood_until: first,
            end: first,
            is_writing: false,
            written: 0,
        }
    }

    /// Begins behind a tree, which the store has; the store ends at `end`.
    pub(crate) async fn begin(&mut self, tree: Tree, end: Checkpoint) -> Result<(), MoveError> {
        let from = tree.next();
        self.stood = Some(Leaves::of(self.store(), from, end).await?);
        (self.stood_until, self.end, self.checked) = (end, end, from);
        self.tree = tree;
        Ok(())
    }

    fn store(&self) -> &EventStore {
        &self.target.store
    }

    /// The position of the next changeset.
    pub(crate) fn at(&self) -> Checkpoint {
        self.tree.next()
    }

    /// Whether a root follows the last changeset.
    pub(crate) fn is_checked(&self) -> bool {
        self.checked == self.at()
    }

    /// Takes the changeset at the next position.
    pub(crate) fn take(&mut self, changeset: Changeset, line: u64) -> Result<(), MoveError> {
        let at = self.at();
        if changeset.events.count() == 0 {
            return Err(MoveError::WithoutEvents {
                checkpoint: at,
                stream: changeset.stream_id,
                changeset: changeset.changeset_id,
            });
        }
        let size = changeset.payload_bytes();
        let limit = self.store().max_changeset_bytes();
        if size > limit {
            return Err(MoveError::TooLarge {
                checkpoint: at,
                size,
                limit,
            });
        }
        self.block_bytes += size;
        self.push_leaf(leaf_of(&changeset));
        self.block.push(changeset);
        let is_large = self.block_bytes > MAX_PAGE_BYTES && self.block.len() > 1;
        if is_large || self.block.len() > BLOCK_ITEMS {
            return Err(MoveError::Line {
                line,
                at: self.at(),
                problem: format!(
                    "there is no root (`until`) between more than {BLOCK_ITEMS} changesets, or \
                     {MAX_PAGE_BYTES} bytes"
                ),
            });
        }
        Ok(())
    }

    /// Takes so many void positions.
    pub(crate) fn take_voids(&mut self, count: u64) {
        for _ in 0..count {
            self.push_leaf(void_leaf());
        }
    }

    fn push_leaf(&mut self, leaf: Hash) {
        if self.at() < self.stood_until {
            self.leaves.push(leaf);
        }
        self.tree.push(leaf, &mut Vec::new());
    }

    /// Takes the root behind a block, and writes the block.
    pub(crate) async fn take_root(&mut self, size: u64, root: Hash) -> Result<(), MoveError> {
        self.expect_root(size, root)?;
        self.compare().await?;
        self.checked = self.at();
        self.write().await
    }

    /// Refuses a root that is not the one over everything so far.
    pub(crate) fn expect_root(&self, size: u64, root: Hash) -> Result<(), MoveError> {
        if size == self.tree.size && root == self.tree.root() {
            return Ok(());
        }
        Err(self.changed())
    }

    /// Something behind the last root is not as it was written.
    pub(crate) fn changed(&self) -> MoveError {
        MoveError::Changed {
            from: self.checked,
            to: self.at(),
        }
    }

    /// Refuses a store that has more than what was imported.
    pub(crate) fn expect_end(&self) -> Result<(), MoveError> {
        let (end, size) = (self.end, self.at());
        if end > size {
            return Err(MoveError::Ahead { end, size });
        }
        Ok(())
    }

    /// Compares what stands with what would be imported.
    async fn compare(&mut self) -> Result<(), MoveError> {
        let mut at = self.checked;
        for leaf in self.leaves.drain(..) {
            let stands = match &mut self.stood {
                Some(stood) => stood.next().await?,
                None => None,
            };
            if stands.is_some_and(|stands| stands != leaf) {
                return Err(MoveError::Differs(at));
            }
            at = at.plus(1);
        }
        Ok(())
    }

    /// Writes the changesets that the store does not have.
    async fn write(&mut self) -> Result<(), MoveError> {
        let end = self.end;
        self.block
            .retain(|changeset| changeset.checkpoint >= Some(end));
        self.block_bytes = 0;
        let changesets = std::mem::take(&mut self.block);
        let Some(last) = changesets.last().and_then(|last| last.checkpoint) else {
            return Ok(());
        };
        self.open().await?;
        let count = changesets.len() as u64;
        let page = GlobalPage {
            changesets,
            next: last.plus(1),
        };
        match self.target.import.import(end, &page).await? {
            ImportOutcome::Imported => {}
            ImportOutcome::EndsAt(other) => return Err(others_write(other, end)),
            ImportOutcome::Refused(reason) => {
                return Err(MoveError::Refused { from: end, reason });
            }
        }
        self.end = page.next;
        self.written += count;
        Ok(())
    }

    /// Prepares the store for writing, once.
    async fn open(&mut self) -> Result<(), MoveError> {
        if !self.is_writing {
            let end = self.target.import.begin_import().await?;
            if end != self.end {
                return Err(others_write(end, self.end));
            }
            self.is_writing = true;
        }
        Ok(())
    }
}

fn others_write(end: Checkpoint, expected: Checkpoint) -> MoveError {
    MoveError::OthersWrite { end, expected }
}
