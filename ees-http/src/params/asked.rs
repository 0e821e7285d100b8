//! What the parameters of a request ask for.

use std::ops::RangeInclusive;
use std::time::Duration;

use ees_core::{
    Direction, Expectation, Filter, PageLimit, StoreId, StreamId, StreamQuery, StreamRange,
};

/// The parameters of every call.
#[derive(Clone, Copy)]
pub(crate) struct Common {
    pub(crate) details: bool,
    pub(crate) pretty: bool,
}

/// The parameters of a commit.
pub(crate) struct CommitParams {
    pub(crate) expectation: Expectation,
    /// How many changesets a conflict lists at most.
    pub(crate) forthcoming: usize,
    pub(crate) common: Common,
}

/// The parameters of a set of commits.
pub(crate) struct SetParams {
    /// How many changesets a conflict lists at most.
    pub(crate) forthcoming: usize,
    pub(crate) common: Common,
}

/// How long a read waits while there is nothing to answer.
#[derive(Clone, Copy)]
pub(crate) struct Wait {
    pub(crate) time: Duration,
    /// The seconds to tell in the answer, if the request has more than the maximum.
    pub(crate) told: Option<u64>,
}

/// A read of a stream.
pub(crate) struct StreamRead {
    pub(crate) ids: RangeInclusive<u64>,
    pub(crate) limit: PageLimit,
    pub(crate) direction: Direction,
    pub(crate) wait: Wait,
    pub(crate) common: Common,
}

impl StreamRead {
    /// The range to read from the stream. `range` is the kind of its ids.
    pub(crate) fn query(
        &self,
        stream_id: StreamId,
        range: impl FnOnce(RangeInclusive<u64>) -> StreamRange,
    ) -> StreamQuery {
        StreamQuery::all(stream_id)
            .range(range(self.ids.clone()))
            .direction(self.direction)
            .limit(self.limit)
    }
}

/// A read of the global order.
pub(crate) struct GlobalRead<C> {
    pub(crate) from: Start<C>,
    pub(crate) limit: u64,
    pub(crate) direction: Direction,
    pub(crate) wait: Wait,
    /// The store to which the checkpoint belongs.
    pub(crate) store: Option<StoreId>,
    pub(crate) filter: Filter,
    pub(crate) common: Common,
}

impl<C> GlobalRead<C> {
    pub(crate) fn page_limit(&self) -> PageLimit {
        page_limit(self.limit)
    }
}

/// Where a read of the global order begins.
#[derive(Clone, Copy)]
pub(crate) enum Start<C> {
    Beginning,
    Head,
    Checkpoint(C),
}

pub(super) fn page_limit(limit: u64) -> PageLimit {
    PageLimit::items(usize::try_from(limit).unwrap_or(usize::MAX))
}
