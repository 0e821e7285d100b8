//! Storages whose pages end at the wrong place, or say the wrong thing of what remains.

use async_trait::async_trait;
use ees_conformance::Adapter;
use ees_conformance::faults::Fault;
use ees_core::adapter::{Commit, Outcome, Refusal};
use ees_core::{
    Changeset, Checkpoint, Direction, Expectation, GlobalPage, Page, PageLimit, StorageError,
    StreamQuery, StreamRange,
};

/// Says of every full page that more remains.
#[derive(Default)]
pub(super) struct TakesFullForMore;

#[async_trait]
impl Fault for TakesFullForMore {
    async fn read_stream(
        &self,
        inner: &dyn Adapter,
        query: &StreamQuery,
    ) -> Result<Page<Changeset>, StorageError> {
        let mut page = inner.read_stream(query).await?;
        page.more |= page.items.len() == query.limit.items;
        Ok(page)
    }
}

/// Leads past what a page of the global order had no room for.
#[derive(Default)]
pub(super) struct SkipsWhatDoesNotFit;

#[async_trait]
impl Fault for SkipsWhatDoesNotFit {
    async fn read_global(
        &self,
        inner: &dyn Adapter,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        let page = inner.read_global(from, limit).await?;
        let by_items = PageLimit {
            bytes: usize::MAX,
            ..limit
        };
        let next = inner.read_global(from, by_items).await?.next;
        Ok(GlobalPage { next, ..page })
    }
}

/// Cuts a page first, and turns it around then.
#[derive(Default)]
pub(super) struct CutsAtTheWrongEnd;

#[async_trait]
impl Fault for CutsAtTheWrongEnd {
    async fn read_stream(
        &self,
        inner: &dyn Adapter,
        query: &StreamQuery,
    ) -> Result<Page<Changeset>, StorageError> {
        let forward = query.clone().direction(Direction::Forward);
        let mut page = inner.read_stream(&forward).await?;
        if query.direction == Direction::Backward {
            page.items.reverse();
        }
        Ok(page)
    }
}

/// Leaves out the changeset that holds the first event of a range, but does not begin with it.
#[derive(Default)]
pub(super) struct LooksAtFirstEvents;

#[async_trait]
impl Fault for LooksAtFirstEvents {
    async fn read_stream(
        &self,
        inner: &dyn Adapter,
        query: &StreamQuery,
    ) -> Result<Page<Changeset>, StorageError> {
        let mut page = inner.read_stream(query).await?;
        if let StreamRange::Events(ids) = &query.range {
            page.items
                .retain(|c| c.first_event_id.get() >= *ids.start());
        }
        Ok(page)
    }
}

/// Takes an expectation inside the last changeset for one of its end.
#[derive(Default)]
pub(super) struct AppendsInsideAChangeset;

#[async_trait]
impl Fault for AppendsInsideAChangeset {
    async fn commit(&self, inner: &dyn Adapter, commit: &Commit) -> Result<Outcome, StorageError> {
        let outcome = inner.commit(commit).await?;
        let Expectation::LastEvent(last) = commit.expectation else {
            return Ok(outcome);
        };
        let end = inner.head(&commit.stream_id).await?;
        match (&outcome, end) {
            (Outcome::Refused(Refusal::Outdated), Some(end))
                if last + 1 == end.last_event.get() =>
            {
                let expectation = Expectation::LastEvent(end.last_event.get());
                let commit = Commit {
                    expectation,
                    ..commit.clone()
                };
                inner.commit(&commit).await
            }
            _ => Ok(outcome),
        }
    }
}
