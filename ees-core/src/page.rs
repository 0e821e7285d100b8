//! Reading in pages: what to read, how much at once, and what came.

use std::ops::RangeInclusive;

use crate::ids::MAX_ID;
use crate::ports::StorageError;
use crate::{Changeset, Checkpoint, Event, StreamId};

/// How much one answer may hold, in bytes, on every host: a Lambda function can answer 6 MB.
pub const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024;

/// The fewest bytes that an item's own fields take on the wire, so that the payloads of a page
/// never sum up to more than the answer's limit, however small they are.
const MIN_ITEM_BYTES: usize = 16;

/// What to read of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamQuery {
    /// The stream.
    pub stream_id: StreamId,
    /// Which part of it.
    pub range: StreamRange,
    /// In which order, and so from which end of the range.
    pub direction: Direction,
    /// How much at once.
    pub limit: PageLimit,
}

impl StreamQuery {
    /// Reads a stream from its beginning, a page of any number of items.
    pub fn all(stream_id: StreamId) -> Self {
        Self {
            stream_id,
            range: StreamRange::Changesets(0..=MAX_ID),
            direction: Direction::Forward,
            limit: PageLimit::default(),
        }
    }
}

impl StreamQuery {
    /// The query for what remains behind a page that this query gave; `None` if nothing does.
    pub fn next_page(&self, page: &Page<Changeset>) -> Option<Self> {
        let last = page.items.last().filter(|_| page.more)?;
        let range = match (&self.range, self.direction) {
            (StreamRange::Changesets(ids), Direction::Forward) => {
                StreamRange::Changesets(last.changeset_id.get() + 1..=*ids.end())
            }
            (StreamRange::Changesets(ids), Direction::Backward) => {
                StreamRange::Changesets(*ids.start()..=last.changeset_id.get() - 1)
            }
            (StreamRange::Events(ids), Direction::Forward) => {
                StreamRange::Events(last.last_event_id.get() + 1..=*ids.end())
            }
            (StreamRange::Events(ids), Direction::Backward) => {
                StreamRange::Events(*ids.start()..=last.first_event_id.get() - 1)
            }
        };
        Some(Self {
            range,
            ..self.clone()
        })
    }
}

/// A part of a stream, by inclusive ids from 0 to 2^63 - 1; 0 is before the first one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamRange {
    /// The changesets with these ids.
    Changesets(RangeInclusive<u64>),
    /// Every changeset that holds an event with one of these ids.
    Events(RangeInclusive<u64>),
}

/// The order of a stream read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Oldest first.
    #[default]
    Forward,
    /// Newest first.
    Backward,
}

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

/// Fills a page up to its limit: the one place that decides where a page ends.
///
/// ```
/// use ees_core::{Json, PageBuilder, PageLimit};
/// let mut page = PageBuilder::new(PageLimit::items(1));
/// assert!(page.push(10, 100));
/// assert!(!page.push(20, 100));
/// let page = page.finish();
/// assert_eq!((page.items, page.more), (vec![10], true));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageBuilder<T> {
    limit: PageLimit,
    bytes: usize,
    page: Page<T>,
}

impl<T> PageBuilder<T> {
    /// An empty page.
    pub fn new(limit: PageLimit) -> Self {
        Self {
            limit,
            bytes: 0,
            page: Page {
                items: Vec::new(),
                more: false,
            },
        }
    }

    /// Adds an item with so many bytes of payload. `false` says that it did not fit: the page is
    /// complete, the item is the first of the next one.
    pub fn push(&mut self, item: T, payload_bytes: usize) -> bool {
        let bytes = self.bytes + payload_bytes + MIN_ITEM_BYTES;
        let room = self.page.items.len() < self.limit.items && bytes <= self.limit.bytes;
        if self.page.more || !(room || self.page.items.is_empty()) {
            self.page.more = true;
            return false;
        }
        self.bytes = bytes;
        self.page.items.push(item);
        true
    }

    /// Whether no further item can fit.
    pub fn is_full(&self) -> bool {
        self.room() == 0
    }

    /// How many further items can fit at most.
    pub fn room(&self) -> usize {
        self.limit
            .items
            .max(1)
            .saturating_sub(self.page.items.len())
    }

    /// Says that more remains behind what was pushed.
    pub fn more_remains(&mut self) {
        self.page.more = true;
    }

    /// The page.
    pub fn finish(self) -> Page<T> {
        self.page
    }
}

impl PageBuilder<Changeset> {
    /// Adds a changeset; see [`PageBuilder::push`].
    pub fn push_changeset(&mut self, changeset: Changeset) -> bool {
        let bytes = changeset.payload_bytes();
        self.push(changeset, bytes)
    }
}

impl PageBuilder<Event> {
    /// Adds an event; see [`PageBuilder::push`].
    pub fn push_event(&mut self, event: Event) -> bool {
        let bytes = event.data.as_str().len();
        self.push(event, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_page_holds_what_fits_and_at_least_one_item(
            sizes in prop::collection::vec(0..50_usize, 0..20),
            items in 0..10_usize,
            bytes in 0..200_usize,
        ) {
            let limit = PageLimit { items, bytes };
            let mut page = PageBuilder::new(limit);
            for (at, size) in sizes.iter().enumerate() {
                page.push(at, *size);
            }
            let page = page.finish();
            let taken = page.items.len();
            prop_assert_eq!(page.items, (0..taken).collect::<Vec<_>>());
            prop_assert_eq!(page.more, taken < sizes.len());
            prop_assert!(taken <= limit.max_items());
            let weight = |n: usize| sizes[..n].iter().map(|s| s + MIN_ITEM_BYTES).sum::<usize>();
            prop_assert!(taken <= 1 || (taken <= items && weight(taken) <= bytes));
            if taken < sizes.len() {
                prop_assert!(taken >= 1);
                prop_assert!(taken + 1 > items || weight(taken + 1) > bytes);
            }
        }
    }
}
