//! Finds the changeset that has an event in a stream without local indexes.
//!
//! Changeset ids are dense and event ids ascend, so the place is estimated between two known
//! changesets, and the changeset there is read. A step that leaves more than half of the range is
//! followed by one in the middle. A stream of n changesets therefore takes at most 2 log2 n + 2 reads,
//! and a stream whose changesets have equally many events takes 2.

use ees_core::{StorageError, StreamId};

use crate::items::{self, CHANGESET_ID, FIRST_EVENT_ID, Item, LAST_EVENT_ID, STREAM_ID, number};
use crate::tables::{Tables, page};

/// A changeset and the ids of its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) changeset: u64,
    first: u64,
    pub(crate) last: u64,
}

impl Span {
    fn of(item: &Item) -> Result<Self, StorageError> {
        Ok(Self {
            changeset: items::key_of(item)?.changeset_id.get(),
            first: items::event_number(item, FIRST_EVENT_ID)?,
            last: items::event_number(item, LAST_EVENT_ID)?,
        })
    }

    fn contains(&self, event: u64) -> bool {
        (self.first..=self.last).contains(&event)
    }
}

/// A search for the first changeset whose last event is the wanted one or a later one.
#[derive(Debug)]
struct Search {
    wanted: u64,
    /// No changeset up to this one is wanted, and its last event is at most the other number.
    low: (u64, u64),
    /// The first changeset that is known to reach the wanted event.
    high: Span,
    /// Whether the next step is in the middle.
    halve: bool,
}

impl Search {
    /// `high` reaches the wanted event, and no changeset up to `low` does.
    fn new(wanted: u64, low: (u64, u64), high: Span) -> Self {
        Self {
            wanted,
            low,
            high,
            halve: false,
        }
    }

    /// The changesets of which the last is read next, as an inclusive range. `None` at the end of the
    /// search.
    fn next(&self) -> Option<(u64, u64)> {
        let (low, high) = (self.low.0, self.high.changeset);
        if self.high.contains(self.wanted) || low + 1 >= high {
            return None;
        }
        let estimate = if self.halve {
            low + (high - low) / 2
        } else {
            self.estimate()
        };
        Some((low + 1, estimate.clamp(low + 1, high - 1)))
    }

    /// Where the wanted event would be if all changesets of the range had equally many events.
    fn estimate(&self) -> u64 {
        let (low, low_event) = self.low;
        let events = u128::from(self.high.last.saturating_sub(low_event).max(1));
        let wanted = u128::from(self.wanted.saturating_sub(low_event));
        let changesets = u128::from(self.high.changeset - low);
        let place = (wanted * changesets).div_ceil(events);
        low.saturating_add(u64::try_from(place).unwrap_or(u64::MAX))
    }

    /// Takes in the last changeset of the range that ended at `probe`; `None` if it has none.
    fn learn(&mut self, probe: u64, found: Option<Span>) {
        let before = self.high.changeset - self.low.0;
        match found {
            Some(found) if found.last >= self.wanted => self.high = found,
            Some(found) => self.low = (probe, found.last),
            None => self.low.0 = probe,
        }
        let left = self.high.changeset - self.low.0;
        self.halve = !self.halve && left > before / 2;
    }
}

impl Tables {
    /// The last changeset of a stream, consistently.
    pub(crate) async fn newest(&self, stream_id: &StreamId) -> Result<Option<Span>, StorageError> {
        self.last_between(stream_id, (1, ees_core::MAX_ID)).await
    }

    /// The first changeset whose last event is `event` or a later one. `low` is an earlier changeset,
    /// or 0, and an event that it does not go beyond. `newest` is the last changeset of the stream, and
    /// reaches the event.
    pub(crate) async fn first_reaching(
        &self,
        stream_id: &StreamId,
        event: u64,
        low: (u64, u64),
        newest: Span,
    ) -> Result<u64, StorageError> {
        let mut search = Search::new(event, low, newest);
        while let Some((first, probe)) = search.next() {
            let found = self.last_between(stream_id, (first, probe)).await?;
            search.learn(probe, found);
        }
        Ok(search.high.changeset)
    }

    async fn last_between(
        &self,
        stream_id: &StreamId,
        (first, last): (u64, u64),
    ) -> Result<Option<Span>, StorageError> {
        let query = self
            .stream(stream_id)
            .key_condition_expression("stream_id = :stream AND changeset_id BETWEEN :from AND :to")
            .expression_attribute_values(":from", number(first))
            .expression_attribute_values(":to", number(last))
            .projection_expression(format!(
                "{STREAM_ID}, {CHANGESET_ID}, {FIRST_EVENT_ID}, {LAST_EVENT_ID}"
            ))
            .scan_index_forward(false)
            .limit(1);
        let (items, _) = page(query, None).await?;
        items.first().map(Span::of).transpose()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The spans of changesets with these numbers of events.
    fn stream(counts: &[u64]) -> Vec<Span> {
        let mut next = 1;
        let span = |(place, count): (usize, &u64)| {
            let first = next;
            next += count;
            Span {
                changeset: place as u64 + 1,
                first,
                last: next - 1,
            }
        };
        counts.iter().enumerate().map(span).collect()
    }

    /// Searches in a stream. Returns the changeset and the number of reads, after that of the newest.
    fn search(stream: &[Span], wanted: u64, low: (u64, u64)) -> (u64, usize) {
        let mut search = Search::new(wanted, low, *stream.last().unwrap());
        let mut reads = 0;
        while let Some((first, probe)) = search.next() {
            reads += 1;
            let range = first..=probe;
            let found = stream.iter().rfind(|span| range.contains(&span.changeset));
            search.learn(probe, found.copied());
        }
        (search.high.changeset, reads)
    }

    proptest! {
        #[test]
        fn the_first_that_reaches_an_event_is_found_in_bounded_reads(
            counts in prop::collection::vec(prop_oneof![1..3_u64, Just(0), Just(1000)], 1..200),
            gap in 0..200_usize,
            part in 0.0..1.0_f64,
        ) {
            let mut stream = stream(&counts);
            let end = stream.last().unwrap().last;
            prop_assume!(end > 0);
            if gap + 1 < stream.len() {
                stream.remove(gap);
            }
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
            let wanted = 1 + ((end - 1) as f64 * part) as u64;
            let first = *stream.iter().find(|span| span.last >= wanted).unwrap();
            for low in [(0, 0), (first.changeset - 1, first.first - 1)] {
                let (found, reads) = search(&stream, wanted, low);
                prop_assert_eq!(found, first.changeset);
                let most = 2 * counts.len().ilog2() as usize + 2;
                prop_assert!(reads <= most, "{} reads in {} changesets", reads, counts.len());
            }
        }
    }

    #[test]
    fn equal_changesets_take_one_read_more_than_the_newest() {
        let stream = stream(&vec![3; 100_000]);
        for wanted in [1, 2, 3, 4, 150_000, 299_997] {
            let (found, reads) = search(&stream, wanted, (0, 0));
            assert_eq!((found, reads), (wanted.div_ceil(3), 1), "event {wanted}");
        }
        assert_eq!(search(&stream, 299_999, (0, 0)), (100_000, 0));
    }
}
