//! Reading what a look wants to see. The storage filters; which partition gets what is decided here.

use std::time::Duration;

use super::records::{Loaded, Record};
use super::{Found, LiveLook, PartitionState, RetryLook, Work};
use crate::{
    Changeset, Checkpoint, Error, EventStore, GlobalPage, PageLimit, StreamQuery, Timestamp,
};

/// The most changesets that one look reads.
const MAX_CHANGESETS: usize = 10_000;

/// The most payload bytes that one look reads.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The longest that one look reads.
const MAX_TIME: Duration = Duration::from_secs(2);

/// The most changesets that are read at once.
const PAGE: usize = 1000;

/// The fewest that are read at once for a partition that gets a part of them.
const LEAST_PAGE: usize = 64;

/// Reads for the partitions of one consumer, one after another.
pub(super) struct Scan<'a> {
    store: &'a EventStore,
    /// The store, whose reads of the global order get what the consumer's filter selects.
    filtered: EventStore,
    pub(super) record: &'a Record,
    limit: PageLimit,
    /// The page that was read last. Partitions that wait at the same position share it.
    last: Option<Read>,
}

/// A page that was read.
#[derive(Clone)]
struct Read {
    from: Checkpoint,
    /// How many changesets were asked for.
    asked: usize,
    page: GlobalPage,
}

/// The result of a look.
pub(super) struct Scanned {
    pub(super) found: Found,
    /// Whether nothing remains to be looked at.
    pub(super) at_end: bool,
}

/// How much one look may still read.
struct Budget {
    changesets: usize,
    bytes: usize,
    end: Timestamp,
}

impl Budget {
    /// Counts changesets that were read, of so many that were looked at. Returns whether more may be
    /// read.
    fn spend(&mut self, looked_at: u64, read: &[Changeset], now: Timestamp) -> bool {
        let looked_at = usize::try_from(looked_at).unwrap_or(usize::MAX);
        let bytes = read.iter().map(Changeset::payload_bytes).sum();
        self.changesets = self.changesets.saturating_sub(looked_at);
        self.bytes = self.bytes.saturating_sub(bytes);
        self.changesets > 0 && self.bytes > 0 && now < self.end
    }
}

impl<'a> Scan<'a> {
    pub(super) fn new(store: &'a EventStore, record: &'a Record, limit: PageLimit) -> Self {
        Self {
            store,
            filtered: store.with_filter(record.definition.filter()),
            record,
            limit,
            last: None,
        }
    }

    fn budget(&self) -> Budget {
        Budget {
            changesets: MAX_CHANGESETS,
            bytes: MAX_BYTES,
            end: self.store.clock().now().after(MAX_TIME),
        }
    }

    /// Reads what a live look from this position will need.
    pub(super) async fn ahead(&mut self, from: Option<Checkpoint>) -> Result<(), Error> {
        if let Some(from) = from {
            self.page(from, self.limit.items.min(PAGE)).await?;
        }
        Ok(())
    }

    /// Looks for the next batch of a partition.
    pub(super) async fn look(
        &mut self,
        partition: u16,
        state: &PartitionState,
        work: &Work,
        from: Checkpoint,
    ) -> Result<Scanned, Error> {
        let share = self.record.share(partition);
        match work {
            Work::Live => {
                let mut look = LiveLook::new(state, &share, from, self.limit);
                let budget = self.budget();
                let at_end = self.live(&mut look, budget).await?;
                let found = look.finish();
                Ok(Scanned { found, at_end })
            }
            Work::Retry(stream_id, id) => {
                let stream_id = stream_id.clone();
                let mut look = RetryLook::new(state, &share, stream_id, *id, self.limit);
                let budget = self.budget();
                self.retry(&mut look, budget).await?;
                let found = look.finish();
                Ok(Scanned {
                    found,
                    at_end: false,
                })
            }
        }
    }

    /// Finds the batch again that is out.
    pub(super) async fn again(&mut self, partition: u16, loaded: &Loaded) -> Result<Found, Error> {
        let share = self.record.share(partition);
        let budget = Budget {
            changesets: usize::MAX,
            bytes: usize::MAX,
            end: self.store.clock().now().after(Duration::from_hours(1)),
        };
        if let Some(mut look) = RetryLook::again(&loaded.state, &share) {
            self.retry(&mut look, budget).await?;
            return Ok(look.finish());
        }
        let mut look = LiveLook::again(&loaded.state, &share);
        self.live(&mut look, budget).await?;
        Ok(look.finish())
    }

    /// Reads what the filter selects of the global order. Returns whether it was read to its end.
    async fn live(&mut self, look: &mut LiveLook<'_>, mut budget: Budget) -> Result<bool, Error> {
        let partitions = usize::from(self.record.definition.partitions);
        let mut least = if partitions == 1 { 1 } else { LEAST_PAGE };
        loop {
            let from = look.next();
            let items = look.room().saturating_mul(partitions);
            let read = self.page(from, items.max(least).min(PAGE)).await?;
            least = least.saturating_mul(2);
            let Read { asked, page, .. } = read;
            let is_full = page.changesets.len() >= asked;
            let looked_at = page.next.get().saturating_sub(from.get());
            let goes_on = budget.spend(looked_at, &page.changesets, self.store.clock().now());
            if page.changesets.is_empty() && page.next == from {
                return Ok(true);
            }
            if !look.look(page.changesets, page.next) {
                return Ok(false);
            }
            if !goes_on || (!is_full && look.may_end()) {
                return Ok(false);
            }
        }
    }

    async fn page(&mut self, from: Checkpoint, asked: usize) -> Result<Read, Error> {
        let known = self.last.as_ref();
        if let Some(read) = known.filter(|read| read.from == from && read.asked >= asked) {
            return Ok(read.clone());
        }
        let limit = PageLimit::items(asked);
        let page = self.filtered.poll_changesets(from, limit).await?;
        let read = Read { from, asked, page };
        self.last = Some(read.clone());
        Ok(read)
    }

    /// Reads a parked stream.
    async fn retry(&self, look: &mut RetryLook<'_>, mut budget: Budget) -> Result<(), Error> {
        loop {
            let query = StreamQuery::all(look.stream_id().clone());
            let query = query.changesets(look.next().get()..).limit(PAGE);
            let page = self.store.storage().read_stream(&query).await?;
            let read = page.items.len() as u64;
            let goes_on = budget.spend(read, &page.items, self.store.clock().now());
            if !look.look(page.items, page.more) || !goes_on {
                return Ok(());
            }
        }
    }
}
