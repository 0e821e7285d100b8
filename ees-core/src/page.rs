//! Pages, and their limits.

use std::ops::Range;

use crate::{Changeset, Checkpoint, StorageError};

/// The largest page, in bytes of payload: 4 MiB. Hosts limit the size of answers: AWS Lambda to 6
/// MB.
pub const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024;

/// What an error says of a position without a changeset.
const HOLE: &str = "was found where checkpoint";

/// The bytes counted for an item in addition to its payload. They keep a page of very small
/// payloads below the size limit of an answer.
pub(crate) const MIN_ITEM_BYTES: usize = 16;

/// The limits of a page. An item larger than the limit gets a page of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PageLimit {
    /// The largest number of items; 0 counts as 1.
    pub items: usize,
    /// The largest number of payload bytes.
    pub bytes: usize,
}

impl Default for PageLimit {
    /// Any number of items, up to [`MAX_PAGE_BYTES`].
    fn default() -> Self {
        Self {
            items: usize::MAX,
            bytes: MAX_PAGE_BYTES,
        }
    }
}

impl PageLimit {
    /// At most `items` items, up to [`MAX_PAGE_BYTES`].
    pub fn items(items: usize) -> Self {
        Self {
            items,
            ..Self::default()
        }
    }

    /// The largest number of items that a page can hold: as many as fit both limits if each payload
    /// is empty.
    pub fn max_items(&self) -> usize {
        self.items.min(self.bytes / MIN_ITEM_BYTES).max(1)
    }
}

impl From<usize> for PageLimit {
    /// As [`PageLimit::items`].
    fn from(items: usize) -> Self {
        Self::items(items)
    }
}

/// Items of a stream read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Page<T> {
    /// The items, in the requested order.
    pub items: Vec<T>,
    /// Whether more of the range remains after them.
    pub more: bool,
}

/// Changesets of the global order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GlobalPage {
    /// The changesets, by checkpoint; each has one.
    pub changesets: Vec<Changeset>,
    /// Where the next page begins; the requested checkpoint if the page is empty. A filtered page may
    /// be empty and still lead on: past everything that was looked at.
    pub next: Checkpoint,
}

impl GlobalPage {
    /// A page of a storage that orders at commit time, from a checkpoint on.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] unless the checkpoints are dense (G6).
    pub fn dense(from: Checkpoint, changesets: Vec<Changeset>) -> Result<Self, StorageError> {
        Self::dense_but_for(from, changesets, &[])
    }

    /// As [`GlobalPage::dense`], of a storage with void positions. `voids` are those between `from` and
    /// the last changeset, as ranges that ascend.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] unless each position from `from` to the last changeset either has a
    /// changeset or is void (G6).
    pub fn dense_but_for(
        from: Checkpoint,
        changesets: Vec<Changeset>,
        voids: &[Range<Checkpoint>],
    ) -> Result<Self, StorageError> {
        let mut voids = voids.iter().peekable();
        let mut next = from;
        for changeset in &changesets {
            while let Some(void) = voids.next_if(|void| void.start <= next) {
                next = next.max(void.end);
            }
            if changeset.checkpoint != Some(next) {
                let (stream, id) = (&changeset.stream_id, changeset.changeset_id);
                let found = format!("changeset {id} of stream `{stream}`");
                return Err(Self::hole(next, &found));
            }
            next = next.plus(1);
        }
        Ok(Self { changesets, next })
    }

    /// The error of a position that has no changeset, although it is not void: something else was found
    /// there.
    pub fn hole(position: Checkpoint, found: &str) -> StorageError {
        StorageError::Corrupt(format!("{found} {HOLE} {position} belongs"))
    }

    /// Whether an error of [`GlobalPage::dense`] says that a position has no changeset: a verification
    /// tells that something is missing then, and not that it is damaged.
    pub fn is_hole(error: &StorageError) -> bool {
        matches!(error, StorageError::Corrupt(what) if what.contains(HOLE))
    }

    /// The positions between `from` and the last changeset that have none, as ranges that ascend: what
    /// an import makes void.
    pub fn voids(&self, from: Checkpoint) -> Vec<Range<Checkpoint>> {
        let mut next = from;
        let mut voids = Vec::new();
        for position in self.changesets.iter().filter_map(|one| one.checkpoint) {
            if next < position {
                voids.push(next..position);
            }
            next = position.plus(1);
        }
        voids
    }
}
