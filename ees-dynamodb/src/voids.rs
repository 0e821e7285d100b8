//! The void positions, which no changeset will ever have.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem};
use ees_core::{Checkpoint, StorageError};

use crate::items::{Item, number, text};
use crate::schema::PROJECTION_ID;
use crate::tables::Tables;

/// The number of ranges in one item: about 250 KB of the maximum of 400 KB.
const RANGES_PER_ITEM: usize = 5000;

/// The attribute of the ranges: from, to, from, to ...
const RANGES: &str = "ranges";

/// Positions that were lost before the first index state was written, or that have no changeset in the
/// order of the store that was imported. Only an import adds some, and no server runs then. So they are
/// read once and cached.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Voids(BTreeMap<u64, u64>);

impl Voids {
    /// Adds an inclusive range of positions after the known ones.
    pub(crate) fn add(&mut self, from: u64, to: u64) {
        match self.0.last_entry() {
            Some(mut last) if *last.get() + 1 == from => *last.get_mut() = to,
            _ => {
                self.0.insert(from, to);
            }
        }
    }

    /// The first position from this one on that is not void.
    pub(crate) fn past(&self, position: Checkpoint) -> Checkpoint {
        let at = position.get();
        match self.0.range(..=at).next_back() {
            Some((_, to)) if *to >= at => position.plus(to + 1 - at),
            _ => position,
        }
    }

    /// The inclusive ranges in ascending order.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter().map(|(from, to)| (*from, *to))
    }

    fn items(&self) -> Vec<Vec<AttributeValue>> {
        let ranges: Vec<_> = self.ranges().collect();
        let flat = |ranges: &[(u64, u64)]| {
            let numbers = ranges.iter().flat_map(|(from, to)| [*from, *to]);
            numbers.map(number).collect()
        };
        ranges.chunks(RANGES_PER_ITEM).map(flat).collect()
    }

    fn take(&mut self, item: &Item) -> Option<()> {
        let numbers = item.get(RANGES)?.as_l().ok()?;
        for range in numbers.chunks(2) {
            let [from, to] = range else { return None };
            let (from, to) = (
                from.as_n().ok()?.parse().ok()?,
                to.as_n().ok()?.parse().ok()?,
            );
            self.add(from, to);
        }
        Some(())
    }
}

fn id(place: usize) -> String {
    format!("ees:void:{place}")
}

fn void_item(place: usize, ranges: Vec<AttributeValue>) -> Item {
    Item::from([
        (PROJECTION_ID.to_owned(), text(id(place))),
        (RANGES.to_owned(), AttributeValue::L(ranges)),
    ])
}

impl Tables {
    /// Reads the void positions.
    pub(crate) async fn voids(&self) -> Result<Voids, StorageError> {
        let mut voids = Voids::default();
        for place in 0.. {
            let Some(item) = self.analysis(&id(place)).await? else {
                break;
            };
            let taken = voids.take(&item);
            taken.ok_or_else(|| {
                let table = &self.config.analysis_table;
                StorageError::Corrupt(format!(
                    "item `{}` of table `{table}` cannot be read",
                    id(place)
                ))
            })?;
        }
        Ok(voids)
    }

    /// The writes that replace the recorded void positions.
    pub(crate) async fn replace_voids(
        &self,
        voids: &Voids,
    ) -> Result<Vec<TransactWriteItem>, StorageError> {
        let recorded = self.voids().await?.items().len();
        let items = voids.items();
        let obsolete = (items.len()..recorded).map(|place| {
            let key = HashMap::from([(PROJECTION_ID.to_owned(), text(id(place)))]);
            self.delete(key)
        });
        let items = items.into_iter().enumerate();
        let puts = items.map(|(place, ranges)| self.put(void_item(place, ranges)));
        let writes: Result<_, BuildError> = puts.chain(obsolete).collect();
        writes.map_err(|error| StorageError::Backend(Arc::new(error)))
    }

    /// The writes that add void positions to the recorded ones: those of the items that change.
    pub(crate) fn add_voids(
        &self,
        recorded: &Voids,
        voids: &Voids,
    ) -> Result<Vec<TransactWriteItem>, StorageError> {
        let recorded = recorded.items();
        let items = voids.items().into_iter().enumerate();
        let changed = items.filter(|(place, ranges)| recorded.get(*place) != Some(ranges));
        let puts = changed.map(|(place, ranges)| self.put(void_item(place, ranges)));
        let writes: Result<_, BuildError> = puts.collect();
        writes.map_err(|error| StorageError::Backend(Arc::new(error)))
    }

    fn put(&self, item: Item) -> Result<TransactWriteItem, BuildError> {
        let put = Put::builder().table_name(&self.config.analysis_table);
        let put = put.set_item(Some(item)).build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn delete(&self, key: Item) -> Result<TransactWriteItem, BuildError> {
        let delete = Delete::builder().table_name(&self.config.analysis_table);
        let delete = delete.set_key(Some(key)).build()?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(position: u64) -> Checkpoint {
        Checkpoint::new(position).unwrap()
    }

    #[test]
    fn void_positions_are_passed() {
        let mut voids = Voids::default();
        for (from, to) in [(3, 3), (4, 6), (9, 9)] {
            voids.add(from, to);
        }
        assert_eq!(voids.ranges().collect::<Vec<_>>(), [(3, 6), (9, 9)]);
        let past: Vec<u64> = (0..12).map(|p| voids.past(at(p)).get()).collect();
        assert_eq!(past, [0, 1, 2, 7, 7, 7, 7, 7, 8, 10, 10, 11]);
    }

    #[test]
    fn ranges_are_kept_in_items_of_a_bounded_size() {
        let mut voids = Voids::default();
        (0..12_000).for_each(|n| voids.add(n * 2, n * 2));
        let items = voids.items();
        assert_eq!(items.len(), 3);
        let mut read = Voids::default();
        for ranges in items {
            let item = Item::from([(RANGES.to_owned(), AttributeValue::L(ranges))]);
            read.take(&item).unwrap();
        }
        assert_eq!(read, voids);
    }
}
