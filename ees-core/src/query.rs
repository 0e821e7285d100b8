//! What to read of a stream.

use std::ops::RangeInclusive;

use crate::ids::MAX_ID;
use crate::{Changeset, Page, PageLimit, StreamId};

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
