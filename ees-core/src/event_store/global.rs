//! Reading the global order.

use tracing::Instrument;

use super::EventStore;
use crate::adapter::PageBuilder;
use crate::{
    Changeset, Checkpoint, Error, Event, EventCheckpoint, GlobalPage, PageLimit, StreamId,
};
use crate::{measure, spans};

/// One event of the global order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlobalEvent {
    /// Its stream.
    pub stream_id: StreamId,
    /// The event.
    pub event: Event,
    /// Its position.
    pub checkpoint: EventCheckpoint,
}

/// Events of the global order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlobalEventPage {
    /// The events, by checkpoint.
    pub events: Vec<GlobalEvent>,
    /// Where the next page begins; the requested checkpoint if the page is empty. A filtered page may
    /// be empty and still lead on: past everything that was looked at.
    pub next: EventCheckpoint,
}

impl EventStore {
    /// The end of the global order: the checkpoint that the next changeset will get.
    ///
    /// # Errors
    /// [`Error::Storage`] if the storage fails.
    pub async fn next_checkpoint(&self) -> Result<Checkpoint, Error> {
        Ok(self.storage.next_checkpoint().await?)
    }

    /// A page of all changesets from a checkpoint on. A reader that follows [`GlobalPage::next`]
    /// sees each changeset once (G6).
    ///
    /// # Errors
    /// [`Error::CheckpointBeyondHead`], or [`Error::Storage`] if the storage fails.
    pub async fn global_changesets(
        &self,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, Error> {
        let page = self.poll_changesets(from, limit).await?;
        if page.changesets.is_empty() && page.next == from {
            self.check_checkpoint(from.into()).await?;
        }
        Ok(page)
    }

    /// A page of all events from a checkpoint on; otherwise as
    /// [`EventStore::global_changesets`].
    ///
    /// # Errors
    /// [`Error::CheckpointBeyondHead`], or [`Error::Storage`] if the storage fails.
    pub async fn global_events(
        &self,
        from: EventCheckpoint,
        limit: PageLimit,
    ) -> Result<GlobalEventPage, Error> {
        let page = self.poll_events(from, limit).await?;
        if page.events.is_empty() && page.next == from {
            self.check_checkpoint(from).await?;
        }
        Ok(page)
    }

    /// Refuses a checkpoint beyond the end of the global order; the end itself passes. A reader that
    /// follows [`GlobalPage::next`] gets beyond it only if the store is restored from an older copy.
    /// On a replica, which may lag, every checkpoint passes.
    ///
    /// # Errors
    /// [`Error::CheckpointBeyondHead`], or [`Error::Storage`] if the storage fails.
    pub async fn check_checkpoint(&self, from: EventCheckpoint) -> Result<(), Error> {
        match self.storage.certain_end().await? {
            Some(head) if from > head.into() => Err(Error::CheckpointBeyondHead {
                checkpoint: from,
                head,
            }),
            _ => Ok(()),
        }
    }

    /// As [`EventStore::global_changesets`], but does not check the checkpoint of an empty page: for
    /// a reader that reads again and again while it waits, and checks once.
    ///
    /// # Errors
    /// [`Error::Storage`] if the storage fails.
    pub async fn poll_changesets(
        &self,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, Error> {
        let begun = measure::begin();
        let page = if self.filter.is_unlimited() {
            self.storage.read_global(from, limit)
        } else {
            self.storage.read_filtered(from, limit, &self.filter)
        };
        let page = page.instrument(spans::read("global"));
        Ok(begun.read("global", page.await)?)
    }

    /// As [`EventStore::global_events`], but does not check the checkpoint of an empty page; see
    /// [`EventStore::poll_changesets`].
    ///
    /// # Errors
    /// [`Error::Storage`] if the storage fails.
    pub async fn poll_events(
        &self,
        from: EventCheckpoint,
        limit: PageLimit,
    ) -> Result<GlobalEventPage, Error> {
        let mut page = PageBuilder::new(limit);
        let mut next = from;
        // One more changeset than events: all events of the first may be before the checkpoint.
        let chunk = PageLimit {
            items: limit.items.saturating_add(1),
            ..limit
        };
        let is_filtered = !self.filter.is_unlimited();
        'read: while !page.is_full() {
            let changesets = self.poll_changesets(next.changeset, chunk).await?;
            for changeset in &changesets.changesets {
                let position = changeset.checkpoint.unwrap_or(next.changeset);
                let is_inside = position == next.changeset;
                let first = if is_inside { next.index } else { 0 };
                for event in self.places.walk(changeset, first) {
                    let event = placed(changeset, position, event);
                    if !self.filter.matches_event(&event.event.data) {
                        continue;
                    }
                    next = event.checkpoint;
                    let bytes = event.event.data.as_str().len();
                    if page.is_full() || !page.push(event, bytes) {
                        break 'read;
                    }
                }
                next = position.plus(1).into();
            }
            let at_end = changesets.next == next.changeset && changesets.changesets.is_empty();
            next = next.max(changesets.next.into());
            // One filtered read is all that one request looks at.
            if at_end || is_filtered {
                break;
            }
        }
        let events = page.finish().items;
        let next = if events.is_empty() && !is_filtered {
            from
        } else {
            next
        };
        Ok(GlobalEventPage { events, next })
    }
}

/// An event of a changeset with its position.
pub(super) fn placed(changeset: &Changeset, position: Checkpoint, event: Event) -> GlobalEvent {
    GlobalEvent {
        stream_id: changeset.stream_id.clone(),
        checkpoint: EventCheckpoint {
            changeset: position,
            index: event.index,
        },
        event,
    }
}
