//! Reading in pages: how much at once, and what came.

use crate::{Changeset, Checkpoint, StorageError};

/// How much one answer may hold, in bytes, on every host: a Lambda function can answer 6 MB.
pub const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024;

/// The fewest bytes that an item's own fields take on the wire, so that the payloads of a page
/// never sum up to more than the answer's limit, however small they are.
pub(crate) const MIN_ITEM_BYTES: usize = 16;

/// How much one page may hold. A page that could not hold even one item holds that one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PageLimit {
    /// At most so many items; 0 counts as 1.
    pub items: usize,
    /// At most so many bytes of payload.
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
    /// So many items, up to [`MAX_PAGE_BYTES`].
    pub fn items(items: usize) -> Self {
        Self {
            items,
            ..Self::default()
        }
    }

    /// The most items that a page of this limit can hold, bytes considered too.
    pub fn max_items(&self) -> usize {
        self.items.clamp(1, self.bytes / MIN_ITEM_BYTES + 1)
    }
}

impl From<usize> for PageLimit {
    /// So many items.
    fn from(items: usize) -> Self {
        Self::items(items)
    }
}

/// Items of a stream read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Page<T> {
    /// The items, in the order asked for.
    pub items: Vec<T>,
    /// Whether more of the range remains behind them.
    pub more: bool,
}

/// Changesets of the global order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GlobalPage {
    /// The changesets, by checkpoint; each has one.
    pub changesets: Vec<Changeset>,
    /// Where to go on reading; the checkpoint asked for if there is nothing yet.
    pub next: Checkpoint,
}

impl GlobalPage {
    /// The page that holds what follows a checkpoint, of a storage that orders at commit time.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] unless the checkpoints are dense (G6).
    pub fn dense(from: Checkpoint, changesets: Vec<Changeset>) -> Result<Self, StorageError> {
        let mut next = from;
        for changeset in &changesets {
            if changeset.checkpoint != Some(next) {
                let (stream, id) = (&changeset.stream_id, changeset.changeset_id);
                return Err(StorageError::Corrupt(format!(
                    "changeset {id} of stream `{stream}` was found where checkpoint {next} belongs"
                )));
            }
            next = next.plus(1);
        }
        Ok(Self { changesets, next })
    }
}
