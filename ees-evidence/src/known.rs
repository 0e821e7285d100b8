//! What a store has: the tree over its first positions, and its leaves one by one.

use std::collections::VecDeque;

use ees_core::{Checkpoint, EventStore, PageLimit};

use crate::edge::TILE_WIDTH;
use crate::error::{LogError, damaged};
use crate::hash::Hash;
use crate::head::{LogHead, leaves};
use crate::log::Log;
use crate::tree::Tree;

/// The changesets that are read at once.
const PAGE_ITEMS: usize = 1000;

/// The tree over the positions of a store below a checkpoint: from the log as far as it is sealed, and
/// otherwise by reading.
pub(crate) async fn tree_of(store: &EventStore, below: Checkpoint) -> Result<Tree, LogError> {
    let mut tree = match Log::of(store) {
        Some(log) => log.tree(below.get()).await?,
        None => Tree::default(),
    };
    let mut rest = Leaves::of(store, tree.next(), below).await?;
    while let Some(leaf) = rest.next().await? {
        tree.push(leaf, &mut Vec::new());
    }
    Ok(tree)
}

/// The leaves of a store from one checkpoint to another: from its log as far as it is sealed, and
/// otherwise by reading.
pub(crate) struct Leaves {
    store: EventStore,
    log: Option<(Log, LogHead)>,
    next: Checkpoint,
    end: Checkpoint,
    read: VecDeque<Hash>,
}

impl Leaves {
    pub(crate) async fn of(
        store: &EventStore,
        from: Checkpoint,
        end: Checkpoint,
    ) -> Result<Self, LogError> {
        let log = Log::of(store);
        let log = match log {
            Some(log) if from < end => log.head().await?.map(|head| (log, head)),
            _ => None,
        };
        Ok(Self {
            store: store.clone(),
            log,
            next: from,
            end,
            read: VecDeque::new(),
        })
    }

    /// The next one; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Hash>, LogError> {
        if self.next >= self.end {
            return Ok(None);
        }
        if self.read.is_empty() {
            self.read_more().await?;
        }
        let leaf = self.read.pop_front();
        let leaf = leaf.ok_or_else(|| {
            damaged(format_args!(
                "the order ends at checkpoint {} while it is read up to {}",
                self.next, self.end
            ))
        })?;
        self.next = self.next.plus(1);
        Ok(Some(leaf))
    }

    async fn read_more(&mut self) -> Result<(), LogError> {
        let at = self.next.get();
        match &self.log {
            Some((log, head)) if at < head.size => {
                let width = TILE_WIDTH as u64;
                let hashes = log.leaves(head, at / width).await?;
                let skipped = usize::try_from(at % width).unwrap_or(TILE_WIDTH);
                self.read = hashes.into_iter().skip(skipped).collect();
            }
            _ => {
                let limit = PageLimit::items(PAGE_ITEMS);
                let page = self.store.poll_changesets(self.next, limit).await?;
                self.read = leaves(self.next, &page).collect();
            }
        }
        Ok(())
    }
}
