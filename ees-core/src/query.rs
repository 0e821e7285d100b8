//! What to read of a stream.

use std::ops::{Bound, RangeBounds, RangeInclusive};

use crate::number::MAX_ID;
use crate::{Changeset, Event, EventId, Page, PageLimit, StreamId};

/// The part of a stream to read, its order, and the size of a page.
///
/// ```
/// use ees_core::StreamQuery;
/// // The last ten events, newest first.
/// let query = StreamQuery::all("order-17".parse()?).backward().limit(10);
/// // The changesets from number 5 on.
/// let query = StreamQuery::all("order-17".parse()?).changesets(5..);
/// # Ok::<(), ees_core::StreamIdError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamQuery {
    /// The stream.
    pub stream_id: StreamId,
    /// Which part of it.
    pub range: StreamRange,
    /// The order, and so the end of the range to begin at.
    pub direction: Direction,
    /// The size of a page.
    pub limit: PageLimit,
    /// The event that the previous page of events ended with, where the range goes by changesets.
    pub(crate) after: Option<EventId>,
}

impl StreamQuery {
    /// Reads a whole stream, oldest first.
    pub fn all(stream_id: StreamId) -> Self {
        Self {
            stream_id,
            range: StreamRange::Changesets(0..=MAX_ID),
            direction: Direction::Forward,
            limit: PageLimit::default(),
            after: None,
        }
    }

    /// Reads the changesets with these ids.
    #[must_use]
    pub fn changesets(self, ids: impl RangeBounds<u64>) -> Self {
        self.range(StreamRange::Changesets(inclusive(&ids)))
    }

    /// Reads the events with these ids; of changesets, those that hold one of these events.
    #[must_use]
    pub fn events(self, ids: impl RangeBounds<u64>) -> Self {
        self.range(StreamRange::Events(inclusive(&ids)))
    }

    /// Reads a part of the stream.
    #[must_use]
    pub fn range(mut self, range: StreamRange) -> Self {
        self.range = range;
        self
    }

    /// Reads the newest first.
    #[must_use]
    pub fn backward(self) -> Self {
        self.direction(Direction::Backward)
    }

    /// Reads in this order.
    #[must_use]
    pub fn direction(mut self, direction: Direction) -> Self {
        self.direction = direction;
        self
    }

    /// Limits a page: to a number of items, or to a [`PageLimit`].
    #[must_use]
    pub fn limit(mut self, limit: impl Into<PageLimit>) -> Self {
        self.limit = limit.into();
        self
    }

    /// The query for the rest of the range after a page of this query, of changesets or of events;
    /// `None` if nothing remains.
    pub fn next_page<T: StreamItem>(&self, page: &Page<T>) -> Option<Self> {
        let last = page.items.last().filter(|_| page.more)?;
        let mut next = self.clone();
        last.move_past(&mut next);
        Some(next)
    }
}

/// An inclusive range of ids. Id 0 is before the first one, so a range that ends there is empty.
fn inclusive(ids: &impl RangeBounds<u64>) -> RangeInclusive<u64> {
    let start = match ids.start_bound() {
        Bound::Included(id) => *id,
        Bound::Excluded(id) => id.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match ids.end_bound() {
        Bound::Included(id) => *id,
        Bound::Excluded(id) => id.saturating_sub(1),
        Bound::Unbounded => MAX_ID,
    };
    start..=end
}

/// An item of a stream read: [`Changeset`] or [`Event`].
pub trait StreamItem: sealed::Sealed {}

impl StreamItem for Changeset {}
impl StreamItem for Event {}

mod sealed {
    /// Moves a query past the last item of a page.
    pub trait Sealed {
        fn move_past(&self, query: &mut super::StreamQuery);
    }
}

impl sealed::Sealed for Changeset {
    fn move_past(&self, query: &mut StreamQuery) {
        query.range = match (&query.range, query.direction) {
            (StreamRange::Changesets(ids), Direction::Forward) => {
                StreamRange::Changesets(self.changeset_id.get() + 1..=*ids.end())
            }
            (StreamRange::Changesets(ids), Direction::Backward) => {
                StreamRange::Changesets(*ids.start()..=self.changeset_id.get() - 1)
            }
            (StreamRange::Events(ids), Direction::Forward) => {
                StreamRange::Events(self.last_event_id.get() + 1..=*ids.end())
            }
            (StreamRange::Events(ids), Direction::Backward) => {
                StreamRange::Events(*ids.start()..=self.first_event_id.get() - 1)
            }
        };
    }
}

impl sealed::Sealed for Event {
    /// A range by changesets continues in the event's own changeset, which may have more events.
    fn move_past(&self, query: &mut StreamQuery) {
        query.range = match (&query.range, query.direction) {
            (StreamRange::Changesets(ids), Direction::Forward) => {
                StreamRange::Changesets(self.changeset_id.get()..=*ids.end())
            }
            (StreamRange::Changesets(ids), Direction::Backward) => {
                StreamRange::Changesets(*ids.start()..=self.changeset_id.get())
            }
            (StreamRange::Events(ids), Direction::Forward) => {
                StreamRange::Events(self.event_id.get() + 1..=*ids.end())
            }
            (StreamRange::Events(ids), Direction::Backward) => {
                StreamRange::Events(*ids.start()..=self.event_id.get() - 1)
            }
        };
        query.after = Some(self.event_id);
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

impl StreamRange {
    /// The first and the last id, for storages with signed integers. No id is above 2^63 - 1, so a
    /// bound above it selects the same.
    pub fn signed_bounds(&self) -> (i64, i64) {
        let (Self::Changesets(ids) | Self::Events(ids)) = self;
        let clamp = |id: u64| i64::try_from(id).unwrap_or(i64::MAX);
        (clamp(*ids.start()), clamp(*ids.end()))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_every_form_are_inclusive() {
        let ids = |query: StreamQuery| match query.range {
            StreamRange::Changesets(ids) | StreamRange::Events(ids) => ids,
        };
        let all = || StreamQuery::all("s".parse().unwrap());
        assert_eq!(ids(all()), 0..=MAX_ID);
        assert_eq!(ids(all().events(3..)), 3..=MAX_ID);
        assert_eq!(ids(all().events(3..7)), 3..=6);
        assert_eq!(ids(all().events(..=7)), 0..=7);
        assert_eq!(ids(all().events(..0)), 0..=0);
        let after = (Bound::Excluded(3), Bound::Unbounded);
        assert_eq!(ids(all().changesets(after)), 4..=MAX_ID);
    }
}
