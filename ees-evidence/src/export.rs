//! Exporting: a store as parts that another store can be made of.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use ees_core::{Checkpoint, Error, EventStore, GlobalPage, Identity, MAX_PAGE_BYTES, PageLimit};
use futures_timer::Delay;

use crate::ahead::{Ahead, reading};
use crate::digest::LinesDigest;
use crate::export_rest::Rest;
use crate::hash::{Hash, leaf_of, void_leaf};
use crate::known::tree_of;
use crate::log::Log;
use crate::moving::MovableStore;
use crate::moving_error::MoveError;
use crate::part::{BLOCK_ITEMS, Header, Part};
use crate::tree::Tree;

/// What is read at once.
const BLOCK: PageLimit = PageLimit {
    items: BLOCK_ITEMS,
    bytes: MAX_PAGE_BYTES,
};

/// How often a page without anything is read again, although the order goes on.
const TRIES: u32 = 100;

/// The pause between these reads.
const PAUSE: Duration = Duration::from_millis(50);

/// An export that runs: the parts of a store, one after another.
///
/// It ends where the global order ended when it began, so it is consistent while the store is written
/// to. It holds one page at a time.
pub struct Export {
    source: MovableStore,
    identity: Identity,
    tree: Tree,
    end: Checkpoint,
    begun: bool,
    ahead: Ahead<Checkpoint, GlobalPage, Error>,
    digest: LinesDigest,
    rest: Option<Rest>,
    ended: bool,
}

impl Export {
    /// Begins an export of everything from a checkpoint on.
    ///
    /// # Errors
    /// [`MoveError::BeyondEnd`] if the store ends before it, [`MoveError::Log`] if the store fails.
    pub async fn begin(source: &MovableStore, from: Checkpoint) -> Result<Self, MoveError> {
        let identity = source.store.identity().await?;
        let end = source.store.next_checkpoint().await?;
        if from > end {
            return Err(MoveError::BeyondEnd { from, end });
        }
        let tree = tree_of(&source.store, from).await?;
        Ok(Self {
            source: source.clone(),
            identity: (*identity).clone(),
            tree,
            end,
            begun: false,
            ahead: Ahead::default(),
            digest: LinesDigest::default(),
            rest: None,
            ended: false,
        })
    }

    /// The next position to export.
    pub fn at(&self) -> Checkpoint {
        self.tree.next()
    }

    /// Where the exported changesets end.
    pub fn end(&self) -> Checkpoint {
        self.end
    }

    /// The root of the tree over the positions before [`Export::at`].
    pub fn root(&self) -> Hash {
        self.tree.root()
    }

    /// The next parts; `None` after the last one.
    ///
    /// # Errors
    /// [`MoveError::EndsInVoid`], [`MoveError::Altered`]; [`MoveError::Log`] if the store fails.
    pub async fn next(&mut self) -> Result<Option<Vec<Part>>, MoveError> {
        match self.next_changesets().await? {
            Some(parts) => Ok(Some(parts)),
            None => self.next_of_rest().await,
        }
    }

    /// The next parts up to the last changeset; `None` after it.
    pub(crate) async fn next_changesets(&mut self) -> Result<Option<Vec<Part>>, MoveError> {
        if !self.begun {
            self.begun = true;
            let header = Part::Header(Header {
                identity: self.identity.clone(),
                from: self.at(),
                root: self.root(),
            });
            self.digest.add(&header);
            return Ok(Some(vec![header]));
        }
        if self.at() >= self.end {
            return Ok(None);
        }
        let page = self.page().await?;
        let last = page.changesets.last().and_then(|last| last.checkpoint);
        let next = last.map_or(self.end, |last| last.plus(1));
        if next < self.end {
            let reading = reading(&self.source.store, next, BLOCK);
            self.ahead.begin(next, reading);
        }
        Ok(Some(self.block(page)))
    }

    /// The next page with a changeset. The reads of a storage that orders after the commit may lag.
    async fn page(&mut self) -> Result<GlobalPage, MoveError> {
        let mut from = self.at();
        let mut tries = 0;
        while from < self.end && tries < TRIES {
            let reading = reading(&self.source.store, from, BLOCK);
            let page = self.ahead.read(from, reading).await?;
            if !page.changesets.is_empty() {
                return Ok(page);
            }
            if page.next == from {
                tries += 1;
                Delay::new(PAUSE).await;
            }
            from = page.next;
        }
        Err(MoveError::EndsInVoid {
            from: self.at(),
            end: self.end,
        })
    }

    /// Lets the export go on to the present end of the order. Returns whether there is more.
    pub(crate) async fn look_again(&mut self) -> Result<bool, MoveError> {
        self.end = self.source.store.next_checkpoint().await?;
        Ok(self.at() < self.end)
    }

    /// The next parts behind the changesets; `None` after the last one.
    pub(crate) async fn next_of_rest(&mut self) -> Result<Option<Vec<Part>>, MoveError> {
        if self.ended {
            return Ok(None);
        }
        if self.rest.is_none() {
            compare(&self.source.store, self.tree.size, self.root()).await?;
        }
        let (source, end) = (&self.source, self.end);
        let rest = self.rest.get_or_insert_with(|| Rest::of(source, end));
        let mut parts = rest.next().await?;
        for part in &parts {
            self.digest.add(part);
        }
        let check = self.digest.check();
        if parts.is_empty() {
            self.ended = true;
            let (size, root) = (self.tree.size, self.root());
            parts.push(Part::End { size, root, check });
        } else {
            parts.push(Part::Check(check));
        }
        Ok(Some(parts))
    }

    /// The parts of a page, with the root behind them.
    fn block(&mut self, page: GlobalPage) -> Vec<Part> {
        let mut parts = VecDeque::with_capacity(page.changesets.len() + 1);
        let mut full = Vec::new();
        for changeset in page.changesets {
            let at = changeset.checkpoint.unwrap_or(self.at());
            if at >= self.end {
                break;
            }
            let next = self.at();
            if next < at {
                parts.push_back(Part::Void(next..at));
            }
            while self.at() < at {
                self.tree.push(void_leaf(), &mut full);
            }
            self.tree.push(leaf_of(&changeset), &mut full);
            parts.push_back(Part::Changeset(changeset));
            full.clear();
        }
        parts.push_back(Part::Root {
            size: self.tree.size,
            root: self.root(),
        });
        parts.into()
    }
}

/// Compares the changesets with the log, if it is sealed so far.
async fn compare(store: &EventStore, size: u64, root: Hash) -> Result<(), MoveError> {
    let Some(log) = Log::of(store) else {
        return Ok(());
    };
    let sealed = log.tree(size).await?;
    if sealed.size == size && sealed.root() != root {
        return Err(MoveError::Altered { size });
    }
    Ok(())
}

impl fmt::Debug for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Export")
            .field("at", &self.at())
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}
