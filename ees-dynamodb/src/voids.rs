//! The positions that nobody has and nobody will get.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use ees_core::Checkpoint;
use ees_core::ports::{StorageError, Written};

use crate::error::translate;
use crate::items::{Item, number, text};
use crate::schema::PROJECTION_ID;
use crate::tables::Tables;

/// How many ranges one item keeps: some 250 KB of the 400 KB that one may have.
const RANGES_PER_ITEM: usize = 5000;

/// Where the ranges stand in their item: from, to, from, to ...
const RANGES: &str = "ranges";

/// Positions that were lost before the first state was written. They never change after that, so
/// they are read once and kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Voids(BTreeMap<u64, u64>);

impl Voids {
    /// Adds a range of positions, both ends included, behind those that are known.
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

    /// The ranges, ascending, both ends included.
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

impl Tables {
    /// The void positions.
    pub(crate) async fn voids(&self) -> Result<Voids, StorageError> {
        let mut voids = Voids::default();
        for place in 0.. {
            let Some(item) = self.analysis(&id(place)).await? else {
                break;
            };
            let taken = voids.take(&item);
            taken.ok_or_else(|| {
                let table = &self.config.analysis_table;
                StorageError::Corrupt(format!("item `{}` of table `{table}`", id(place)))
            })?;
        }
        Ok(voids)
    }

    /// Records the void positions, in the place of those that were recorded before.
    pub(crate) async fn save_voids(&self, voids: &Voids) -> Result<(), StorageError> {
        let items = voids.items();
        let count = items.len();
        for (place, ranges) in items.into_iter().enumerate() {
            let put = self
                .client
                .put_item()
                .table_name(&self.config.analysis_table)
                .item(PROJECTION_ID, text(id(place)))
                .item(RANGES, AttributeValue::L(ranges));
            let put = put.send().await;
            put.map_err(|error| translate("PutItem", &error, Written::Unknown))?;
        }
        // What an act that broke off may have left behind.
        let mut place = count;
        while self.analysis(&id(place)).await?.is_some() {
            let delete = self
                .client
                .delete_item()
                .table_name(&self.config.analysis_table)
                .key(PROJECTION_ID, text(id(place)));
            let deleted = delete.send().await;
            deleted.map_err(|error| translate("DeleteItem", &error, Written::Unknown))?;
            place += 1;
        }
        Ok(())
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
