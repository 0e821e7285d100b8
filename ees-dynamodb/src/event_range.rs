//! Finds the changesets that a range of a stream selects.

use ees_core::{Expectation, MAX_ID, StorageError, StreamId, StreamRange};

use crate::DynamoStorage;
use crate::tables::End;

impl DynamoStorage {
    /// The ids of the first and last changeset that a range selects; `None` if it selects none.
    pub(crate) async fn changesets_of(
        &self,
        stream_id: &StreamId,
        range: &StreamRange,
    ) -> Result<Option<(u64, u64)>, StorageError> {
        let (first, last) = match range {
            StreamRange::Changesets(ids) => (*ids.start(), *ids.end()),
            StreamRange::Events(ids) if !self.tables.layout.local_indexes => {
                let found = self.search(stream_id, *ids.start(), *ids.end()).await?;
                let Some(found) = found else { return Ok(None) };
                found
            }
            StreamRange::Events(ids) => {
                let Some(first) = self.first_reaching(stream_id, *ids.start()).await? else {
                    return Ok(None);
                };
                let Some(last) = self.last_begun(stream_id, *ids.end()).await? else {
                    return Ok(None);
                };
                (first, last)
            }
        };
        let (first, last) = (first.max(1), last.min(MAX_ID));
        Ok((first <= last).then_some((first, last)))
    }

    /// The changesets that have these events, in a stream without local indexes. The event before
    /// the first may be the end of a changeset that is cached, since who has read a stream asks for
    /// what follows.
    async fn search(
        &self,
        id: &StreamId,
        first: u64,
        last: u64,
    ) -> Result<Option<(u64, u64)>, StorageError> {
        let before = Expectation::LastEvent(first.saturating_sub(1));
        let known = match self.heads.get(id, before) {
            _ if first <= 1 => Some(1),
            Some(head) => Some(head.last_changeset.get() + 1),
            None => None,
        };
        if let Some(known) = known.filter(|_| last >= MAX_ID) {
            return Ok(Some((known, MAX_ID)));
        }
        let newest = self.tables.newest(id).await?;
        let Some(newest) = newest.filter(|newest| newest.last >= first) else {
            return Ok(None);
        };
        let from = if let Some(known) = known {
            known
        } else {
            let found = self.tables.first_reaching(id, first, (0, 0), newest);
            found.await?
        };
        if last >= newest.last {
            return Ok(Some((from, MAX_ID)));
        }
        let low = (from - 1, first.saturating_sub(1));
        let to = self.tables.first_reaching(id, last, low, newest).await?;
        Ok(Some((from, to)))
    }

    /// The first changeset whose last event is `event` or a later one.
    async fn first_reaching(&self, id: &StreamId, event: u64) -> Result<Option<u64>, StorageError> {
        if event <= 1 {
            return Ok(Some(1));
        }
        let end = self.tables.end(id, End::LastEventFrom(event)).await?;
        Ok(end.map(|found| found.changeset))
    }

    /// The last changeset whose first event is `event` or an earlier one.
    async fn last_begun(&self, id: &StreamId, event: u64) -> Result<Option<u64>, StorageError> {
        if event >= MAX_ID {
            return Ok(Some(MAX_ID));
        }
        let end = self.tables.end(id, End::FirstEventTo(event)).await?;
        Ok(end.map(|found| found.changeset))
    }
}
