//! The layout of the tables of a store: what its indexes hold, and how positions are stored.

use std::num::NonZeroU64;

use aws_sdk_dynamodb::types::{ProjectionType, TableDescription};
use ees_core::Checkpoint;

use crate::DynamoConfig;

/// How many positions share a page of the global index, which is one of its partition keys: from 1
/// to 1000.
///
/// The indexers write all newest positions to one page, and all entries of a page are in one
/// partition. Smaller pages spread these writes over more partitions; `docs/dynamodb.md` has figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexPageSize(NonZeroU64);

impl IndexPageSize {
    /// The size where the index holds whole changesets, as in a table of the Python original: 1000.
    pub const ORIGINAL: Self = Self(NonZeroU64::MIN.saturating_add(999));

    /// The size in new tables: 100.
    pub const DEFAULT: Self = Self(NonZeroU64::MIN.saturating_add(99));

    /// A size, if it is from 1 to 1000.
    pub fn new(positions: u64) -> Option<Self> {
        let size = NonZeroU64::new(positions).map(Self)?;
        (size.0 <= Self::ORIGINAL.0).then_some(size)
    }

    /// The number of positions.
    pub fn get(self) -> u64 {
        self.0.get()
    }

    /// The page of a position, and its number in the page.
    pub(crate) fn place(self, position: Checkpoint) -> (u64, u64) {
        (position.get() / self.0, position.get() % self.0)
    }

    /// The position with this number in a page, if there is one: the inverse of
    /// [`place`](Self::place).
    pub(crate) fn position(self, page: u64, page_item: u64) -> Option<Checkpoint> {
        if page_item >= self.get() {
            return None;
        }
        let number = page.checked_mul(self.get())?.checked_add(page_item)?;
        Checkpoint::new(number).ok()
    }
}

/// The layout of a store's tables. It is recognised when they are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Whether the entries of the global index are whole changesets. Otherwise they are keys.
    pub(crate) index_holds_all: bool,
    /// Whether streams have local indexes by the ids of their events.
    pub(crate) local_indexes: bool,
    pub(crate) index_page: IndexPageSize,
}

impl Layout {
    /// The layout of tables that were not looked at.
    pub(crate) const UNKNOWN: Self = Self {
        index_holds_all: true,
        local_indexes: true,
        index_page: IndexPageSize::ORIGINAL,
    };

    /// The layout of an events table that matches its definition. A store without a state gets this
    /// size of its pages: the original one where the index holds whole changesets, because versions
    /// that know no other size can open such a table.
    pub(crate) fn of(events: &TableDescription, config: &DynamoConfig) -> Self {
        let mut indexes = events.global_secondary_indexes().iter();
        let order = indexes.find(|index| index.index_name() == Some(&config.indexes.enumeration));
        let held = order.and_then(|order| order.projection()?.projection_type());
        let index_holds_all = held == Some(&ProjectionType::All);
        Self {
            index_holds_all,
            local_indexes: !events.local_secondary_indexes().is_empty(),
            index_page: if index_holds_all {
                IndexPageSize::ORIGINAL
            } else {
                IndexPageSize::DEFAULT
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use ees_core::MAX_ID;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn place_and_position_are_inverse(number in 0..=MAX_ID, size in 1..=1000_u64) {
            let size = IndexPageSize::new(size).unwrap();
            let position = Checkpoint::new(number).unwrap();
            let (page, item) = size.place(position);
            prop_assert_eq!(size.position(page, item), Some(position));
        }
    }

    #[test]
    fn places_outside_a_page_are_no_position() {
        for size in [IndexPageSize::DEFAULT, IndexPageSize::ORIGINAL] {
            assert_eq!(size.position(0, size.get()), None);
            assert_eq!(size.position(u64::MAX, 0), None);
            assert_eq!(size.position(MAX_ID / size.get() + 1, 0), None);
        }
    }

    #[test]
    fn a_page_has_at_least_one_position_and_at_most_those_of_the_original() {
        let sizes = [0, 1, 1000, 1001].map(|size| IndexPageSize::new(size).is_some());
        assert_eq!(sizes, [false, true, true, false]);
    }
}
