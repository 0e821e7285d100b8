//! Storages whose global order is not one.

use async_trait::async_trait;
use ees_conformance::Adapter;
use ees_conformance::faults::Fault;
use ees_core::{Checkpoint, GlobalPage, PageLimit, StorageError};

/// Leaves a hole in the positions.
#[derive(Default)]
pub(crate) struct SkipsACheckpoint;

#[async_trait]
impl Fault for SkipsACheckpoint {
    async fn read_global(
        &self,
        inner: &dyn Adapter,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        let mut page = inner.read_global(from, limit).await?;
        for changeset in &mut page.changesets {
            let position = changeset.checkpoint.unwrap_or(from);
            changeset.checkpoint = Some(position.plus(u64::from(position.get() >= 3)));
        }
        Ok(page)
    }
}

/// Leaves out a changeset, and leads readers past it.
#[derive(Default)]
pub(super) struct SkipsAChangeset;

#[async_trait]
impl Fault for SkipsAChangeset {
    async fn read_global(
        &self,
        inner: &dyn Adapter,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        let mut page = inner.read_global(from, limit).await?;
        page.changesets
            .retain(|changeset| changeset.checkpoint.is_none_or(|c| c.get() != 3));
        Ok(page)
    }
}

/// Orders each page in its own way: positions stay dense, but not what stands at them.
#[derive(Default)]
pub(super) struct ReordersPages;

#[async_trait]
impl Fault for ReordersPages {
    async fn read_global(
        &self,
        inner: &dyn Adapter,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        let mut page = inner.read_global(from, limit).await?;
        page.changesets.reverse();
        for (index, changeset) in (0..).zip(&mut page.changesets) {
            changeset.checkpoint = Some(from.plus(index));
        }
        Ok(page)
    }
}

/// Takes the last of an index page for the end of the order.
#[derive(Default)]
pub(super) struct LosesTheFirstOfAPage;

#[async_trait]
impl Fault for LosesTheFirstOfAPage {
    async fn read_global(
        &self,
        inner: &dyn Adapter,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        let mut page = inner.read_global(from, limit).await?;
        page.changesets
            .retain(|changeset| changeset.checkpoint.is_none_or(|c| c.get() < 1000));
        page.next = from.plus(page.changesets.len() as u64);
        Ok(page)
    }
}
