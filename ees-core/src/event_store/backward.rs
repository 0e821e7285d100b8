//! Reading the global order backward: the newest first.

use super::global::placed;
use super::{EventStore, GlobalEventPage};
use crate::adapter::{Look, PageBuilder};
use crate::{Changeset, Checkpoint, Error, EventCheckpoint, GlobalPage, PageLimit};

/// How many changesets a filtered read looks at with one read of the storage.
const AT_ONCE: usize = 256;

impl EventStore {
    /// A page of the changesets before a checkpoint, newest first. [`GlobalPage::next`] is the
    /// checkpoint of the last one: the next page holds what is before it, down to checkpoint 0.
    ///
    /// A page may hold fewer changesets than its limit allows, and none where the order has positions
    /// without a changeset.
    ///
    /// # Errors
    /// [`Error::CheckpointBeyondHead`], or [`Error::Storage`] if the storage fails.
    pub async fn global_changesets_before(
        &self,
        before: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, Error> {
        if !self.filter.is_unlimited() {
            return self.filtered_before(before, before.into(), limit).await;
        }
        let (mut changesets, first) = self.read_before(before, before.into(), limit).await?;
        changesets.reverse();
        let last = changesets.last().and_then(|last| last.checkpoint);
        Ok(GlobalPage {
            next: last.unwrap_or(first),
            changesets,
        })
    }

    /// A page of the events before a checkpoint, newest first; otherwise as
    /// [`EventStore::global_changesets_before`].
    ///
    /// # Errors
    /// [`Error::CheckpointBeyondHead`], or [`Error::Storage`] if the storage fails.
    pub async fn global_events_before(
        &self,
        before: EventCheckpoint,
        limit: PageLimit,
    ) -> Result<GlobalEventPage, Error> {
        let end = before.changeset.plus(u64::from(before.index > 0));
        let (changesets, first) = self.newest_before(end, before, limit).await?;
        let mut page = PageBuilder::new(limit);
        let mut next = first.into();
        let mut is_cut = false;
        'page: for changeset in &changesets {
            let Some(position) = changeset.checkpoint else {
                continue;
            };
            let is_inside = position == before.changeset;
            let end = if is_inside { before.index } else { u64::MAX };
            for event in self.places.walk_back(changeset, end) {
                let event = placed(changeset, position, event);
                if !self.filter.matches_event(&event.event.data) {
                    continue;
                }
                next = event.checkpoint;
                let bytes = event.event.data.as_str().len();
                if page.is_full() || !page.push(event, bytes) {
                    is_cut = true;
                    break 'page;
                }
            }
            next = position.into();
        }
        let events = page.finish().items;
        let last = events.last().map(|event| event.checkpoint);
        let passed_all = !is_cut && !self.filter.is_unlimited();
        Ok(GlobalEventPage {
            next: match last {
                _ if passed_all => first.into(),
                last => last.unwrap_or(next),
            },
            events,
        })
    }

    /// The changesets right before `end` that the filter selects, newest first, and where those begin
    /// that were looked at.
    async fn newest_before(
        &self,
        end: Checkpoint,
        asked: EventCheckpoint,
        limit: PageLimit,
    ) -> Result<(Vec<Changeset>, Checkpoint), Error> {
        if !self.filter.is_unlimited() {
            let page = self.filtered_before(end, asked, limit).await?;
            return Ok((page.changesets, page.next));
        }
        let (mut changesets, first) = self.read_before(end, asked, limit).await?;
        changesets.reverse();
        Ok((changesets, first))
    }

    /// A page of the changesets before `end` that the filter selects. It looks at as much as
    /// [`Look`] allows.
    async fn filtered_before(
        &self,
        mut end: Checkpoint,
        asked: EventCheckpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, Error> {
        let mut look = Look::begin();
        let mut page = PageBuilder::new(limit);
        'page: while !page.is_full() && !look.is_over() {
            let at_once = PageLimit::items(AT_ONCE.min(look.changesets_left()));
            let (changesets, first) = self.read_before(end, asked, at_once).await?;
            let came_from = end;
            for changeset in changesets.into_iter().rev() {
                let position = changeset.checkpoint.unwrap_or(first);
                look.read(&changeset);
                if self.filter.matches(&changeset) && !page.push_changeset(changeset) {
                    break 'page;
                }
                end = position;
                if page.is_full() {
                    break 'page;
                }
            }
            end = end.min(first);
            if end == came_from {
                break;
            }
        }
        Ok(GlobalPage {
            changesets: page.finish().items,
            next: end,
        })
    }

    /// The changesets right before `end`, in their order, and where they begin. `asked` is the
    /// checkpoint of the reader.
    ///
    /// A storage reads forward. If the changesets of the whole limit are too large for a page, it would
    /// give the first of them, so half as many are requested until the last of them come.
    async fn read_before(
        &self,
        end: Checkpoint,
        asked: EventCheckpoint,
        limit: PageLimit,
    ) -> Result<(Vec<Changeset>, Checkpoint), Error> {
        let most = u64::try_from(limit.max_items()).unwrap_or(u64::MAX);
        let mut count = most.min(end.get());
        let mut is_checked = false;
        loop {
            let first = Checkpoint::FIRST.plus(end.get() - count);
            if count == 0 {
                return Ok((Vec::new(), first));
            }
            let items = usize::try_from(count).unwrap_or(usize::MAX);
            let page = self
                .storage
                .read_global(first, PageLimit { items, ..limit });
            let page = page.await?;
            if page.next >= end {
                let mut changesets = page.changesets;
                changesets.retain(|found| found.checkpoint.is_some_and(|position| position < end));
                return Ok((changesets, first));
            }
            if !is_checked {
                self.check_checkpoint(asked).await?;
                is_checked = true;
            }
            if count == 1 {
                // The order has not come so far here: a replica lags.
                return Ok((Vec::new(), end));
            }
            count /= 2;
        }
    }
}
