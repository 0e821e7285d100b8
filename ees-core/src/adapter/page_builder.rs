//! Ends the pages of reads at their limits.

use crate::page::MIN_ITEM_BYTES;
use crate::{Changeset, Event, Page, PageLimit};

/// Fills a page up to its limit of items and payload bytes. The core and all adapters use it to end
/// a page.
///
/// A host may shorten a page further by the bytes of its own encoding, which are not known here.
///
/// ```
/// use ees_core::PageLimit;
/// use ees_core::adapter::PageBuilder;
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

    /// Adds an item with `payload_bytes` bytes of payload. Returns `false` if it does not fit: the
    /// page is complete, and the item is the first of the next page.
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

    /// Whether no item was added.
    pub fn is_empty(&self) -> bool {
        self.page.items.is_empty()
    }

    /// Marks that more items remain after the pushed ones.
    pub fn more_remains(&mut self) {
        self.page.more = true;
    }

    /// Returns the page.
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
        fn the_most_items_of_a_limit_are_those_of_a_page_of_empty_payloads(
            items in prop_oneof![0..20_usize, Just(usize::MAX)],
            bytes in 0..20 * MIN_ITEM_BYTES,
        ) {
            let limit = PageLimit { items, bytes };
            let mut page = PageBuilder::new(limit);
            let taken = (0..30).take_while(|item| page.push(*item, 0)).count();
            prop_assert_eq!(limit.max_items(), taken);
        }

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
