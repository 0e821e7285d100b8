//! Scans every item of the events table.

use std::collections::HashMap;

use ees_core::adapter::ChangesetKey;
use ees_core::{Checkpoint, MAX_ID, StorageError, StreamId};

use crate::items::{self, Item};
use crate::voids::Voids;
use crate::{Admin, IndexPageSize};

use super::Watcher;

/// The maximum number of findings of a kind that are listed. All are counted.
const TOLD: usize = 100;

/// The findings of one kind: the first ones, and their number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings<T> {
    /// The first 100.
    pub first: Vec<T>,
    /// The number of all findings.
    pub count: u64,
}

impl<T> Default for Findings<T> {
    fn default() -> Self {
        Self {
            first: Vec::new(),
            count: 0,
        }
    }
}

impl<T> Findings<T> {
    fn add(&mut self, finding: T) {
        self.count += 1;
        if self.first.len() < TOLD {
            self.first.push(finding);
        }
    }
}

/// The result of a scan of the events table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Survey {
    /// The number of valid changesets.
    pub changesets: u64,
    /// The number of changesets without a position. The indexer assigns their positions.
    pub unindexed: u64,
    /// The number of changesets without events. Only the Python original wrote such changesets.
    pub empty: u64,
    /// Items that are not changesets, and the reasons. If such an item has a position, the position
    /// is void.
    pub unreadable: Findings<String>,
    /// Changesets that have a position although an earlier changeset of their stream has none. The
    /// earlier changeset will follow them in the global order.
    pub out_of_order: Findings<ChangesetKey>,
    /// Changesets that have the position of another changeset. Of each pair, the one that was found
    /// second.
    pub twice: Findings<ChangesetKey>,
}

/// A survey, and the positions that it found.
#[derive(Debug, Default)]
pub(super) struct Surveyed {
    pub(super) survey: Survey,
    pub(super) positions: Positions,
    pub(super) places: Places,
    /// The current stream, once a changeset without a position was found in it. A scan returns the
    /// changesets of a stream together and in order.
    waiting: Option<StreamId>,
}

/// The extent of the places of positions in the pages of the global index.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Places {
    /// The highest page.
    pub(super) page: u64,
    /// The number after the highest one in any page; 0 if there is none.
    pub(super) end: u64,
}

impl Admin {
    /// Scans the events table, consistently.
    pub(super) async fn survey(&self) -> Result<Surveyed, StorageError> {
        let (mut surveyed, mut start) = (Surveyed::default(), None);
        loop {
            let (items, next) = self.tables.scan_page(self.tables.scan(), start).await?;
            for item in items.iter().filter(|item| !items::is_reserved(item)) {
                surveyed.add(item, self.tables.layout.index_page);
            }
            if let Some(Watcher(tell)) = &self.watcher {
                tell(surveyed.survey.changesets);
            }
            if next.is_none() {
                return Ok(surveyed);
            }
            start = next;
        }
    }
}

impl Surveyed {
    fn add(&mut self, item: &Item, pages: IndexPageSize) {
        if let Some((page, page_item)) = items::place(item) {
            let Places { page: highest, end } = self.places;
            self.places = Places {
                page: highest.max(page),
                end: end.max(page_item + 1),
            };
        }
        let read =
            items::check(item, pages).and_then(|position| Ok((items::key_of(item)?, position)));
        let (key, position) = match read {
            Ok(read) => read,
            Err(wrong) => {
                let finding = format!("{}: {}", wrong.key, wrong.reason);
                return self.survey.unreadable.add(finding);
            }
        };
        self.survey.changesets += 1;
        self.survey.empty += u64::from(items::is_empty(item));
        let Some(position) = position else {
            self.survey.unindexed += 1;
            self.waiting = Some(key.stream_id);
            return;
        };
        if !self.positions.insert(position) {
            self.survey.twice.add(key.clone());
        }
        if self.waiting.as_ref() == Some(&key.stream_id) {
            self.survey.out_of_order.add(key);
        }
    }
}

/// The number of words of a piece of a set, with a bit for each position.
const WORDS: usize = 16;

/// The number of positions in a piece of a set.
const PIECE: u64 = 64 * WORDS as u64;

/// A set of positions with one bit for each, in pieces. A table of 100 million changesets takes
/// about 15 MB.
#[derive(Debug, Default)]
pub(super) struct Positions {
    pieces: HashMap<u64, [u64; WORDS]>,
    end: u64,
}

impl Positions {
    /// Adds a position. Returns `false` if the set already contained it.
    fn insert(&mut self, position: Checkpoint) -> bool {
        let words = self.pieces.entry(position.get() / PIECE).or_default();
        let (word, bit) = place(position.get());
        let Some(word) = words.get_mut(word) else {
            return false;
        };
        let is_new = *word & bit == 0;
        *word |= bit;
        self.end = self.end.max(position.get() + 1);
        is_new
    }

    pub(super) fn contains(&self, position: u64) -> bool {
        let (word, bit) = place(position);
        let words = self.pieces.get(&(position / PIECE));
        let words = words.and_then(|words| words.get(word));
        words.is_some_and(|word| word & bit != 0)
    }

    /// The position after the highest one.
    pub(super) fn end(&self) -> u64 {
        self.end.min(MAX_ID)
    }

    /// The positions below `end` that are missing.
    pub(super) fn holes(&self, end: u64) -> Voids {
        let mut holes = Voids::default();
        let mut position = 0;
        while position < end {
            let piece = position / PIECE;
            let piece_end = ((piece + 1) * PIECE).min(end);
            if self.pieces.contains_key(&piece) {
                let missing = (position..piece_end).filter(|at| !self.contains(*at));
                missing.for_each(|at| holes.add(at, at));
            } else {
                holes.add(position, piece_end - 1);
            }
            position = piece_end;
        }
        holes
    }
}

/// The word and the bit of a position in its piece.
fn place(position: u64) -> (usize, u64) {
    let word = position % PIECE / 64;
    (
        usize::try_from(word).unwrap_or(usize::MAX),
        1 << (position % 64),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_what_nobody_has() {
        let mut positions = Positions::default();
        for position in [0, 1, 3, 998, 3001, 3001] {
            let is_new = !positions.contains(position);
            assert_eq!(positions.insert(Checkpoint::new(position).unwrap()), is_new);
        }
        assert_eq!(positions.end(), 3002);
        let holes: Vec<_> = positions.holes(3002).ranges().collect();
        assert_eq!(holes, [(2, 2), (4, 997), (999, 3000)]);
        assert_eq!(Positions::default().holes(0), Voids::default());
    }
}
