//! Reading the global order, and waiting at its head.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};

use super::EventStore;
use super::stream::number;
use crate::adapter::PageBuilder;
use crate::{
    Changeset, Checkpoint, Error, Event, EventCheckpoint, GlobalPage, PageLimit, StreamId,
};

/// How long a reader pauses after the first news that was none for it.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

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
    /// Where to go on reading; the checkpoint asked for if there is nothing yet.
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

    /// A page of all changesets from a checkpoint on. A reader that follows
    /// [`GlobalPage::next`] misses nothing and sees nothing twice (G6).
    ///
    /// # Errors
    /// [`Error::Storage`] if the storage fails.
    pub async fn global_changesets(
        &self,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, Error> {
        Ok(self.storage.read_global(from, limit).await?)
    }

    /// A page of all events from a checkpoint on; otherwise as
    /// [`EventStore::global_changesets`].
    ///
    /// # Errors
    /// [`Error::Storage`] if the storage fails.
    pub async fn global_events(
        &self,
        from: EventCheckpoint,
        limit: PageLimit,
    ) -> Result<GlobalEventPage, Error> {
        let mut page = PageBuilder::new(limit);
        let mut next = from;
        // One more changeset than events: the first may lie before the checkpoint altogether.
        let chunk = PageLimit {
            items: limit.items.saturating_add(1),
            ..limit
        };
        'read: while !page.is_full() {
            let changesets = self.storage.read_global(next.changeset, chunk).await?;
            for changeset in &changesets.changesets {
                let position = changeset.checkpoint.unwrap_or(next.changeset);
                for event in place(changeset, position, next) {
                    next = event.checkpoint;
                    let bytes = event.event.data.as_str().len();
                    if page.is_full() || !page.push(event, bytes) {
                        break 'read;
                    }
                }
                next = position.plus(1).into();
            }
            if changesets.next == next.changeset && changesets.changesets.is_empty() {
                break;
            }
            next = next.max(changesets.next.into());
        }
        let events = page.finish().items;
        let next = if events.is_empty() { from } else { next };
        Ok(GlobalEventPage { events, next })
    }

    /// As [`EventStore::global_changesets`], but while there is nothing from the checkpoint on,
    /// waits for it, so long and no longer.
    ///
    /// # Errors
    /// [`Error::Storage`] if the storage fails.
    pub async fn await_changesets(
        &self,
        from: Checkpoint,
        limit: PageLimit,
        wait: Duration,
    ) -> Result<GlobalPage, Error> {
        let read = || self.global_changesets(from, limit);
        self.await_page(wait, read, |page| page.changesets.is_empty())
            .await
    }

    /// As [`EventStore::global_events`], but while there is nothing from the checkpoint on, waits
    /// for it, so long and no longer.
    ///
    /// # Errors
    /// [`Error::Storage`] if the storage fails.
    pub async fn await_events(
        &self,
        from: EventCheckpoint,
        limit: PageLimit,
        wait: Duration,
    ) -> Result<GlobalEventPage, Error> {
        let read = || self.global_events(from, limit);
        self.await_page(wait, read, |page| page.events.is_empty())
            .await
    }

    /// As [`EventStore::await_changesets`], with a reader of one's own: one that waits its turn
    /// where many are woken at once, for instance.
    ///
    /// Listens first, then reads: news that comes between the two is not lost. A reader for whom
    /// the news was none (it is beyond the end, or the order lags behind the commits) pauses before
    /// it reads again, longer each time, so that many of them cost little however much is committed.
    ///
    /// # Errors
    /// Those of `read`.
    pub async fn await_page<P, R: Future<Output = Result<P, Error>>>(
        &self,
        wait: Duration,
        read: impl Fn() -> R,
        is_empty: impl Fn(&P) -> bool,
    ) -> Result<P, Error> {
        if wait.is_zero() {
            return read().await;
        }
        let mut deadline = self.clock.sleep(wait);
        let mut pause = Duration::ZERO;
        loop {
            let news = self.storage.news();
            let page = read().await?;
            if !is_empty(&page) {
                return Ok(page);
            }
            let poll = self.clock.sleep(self.poll_interval);
            let rest = async {
                if !pause.is_zero() {
                    self.clock.sleep(pause).await;
                }
                select(news, poll).await;
            };
            match select(deadline, pin!(rest)).await {
                Either::Left(_) => return Ok(page),
                Either::Right(((), running)) => deadline = running,
            }
            pause = (pause * 2).clamp(FIRST_PAUSE, self.poll_interval.max(FIRST_PAUSE));
        }
    }
}

/// A changeset's events from a checkpoint on, with their positions.
fn place(
    changeset: &Changeset,
    position: Checkpoint,
    from: EventCheckpoint,
) -> impl Iterator<Item = GlobalEvent> {
    let placed = number(changeset).map(move |event| GlobalEvent {
        stream_id: changeset.stream_id.clone(),
        checkpoint: EventCheckpoint {
            changeset: position,
            index: event.index,
        },
        event,
    });
    placed.skip_while(move |event| event.checkpoint < from)
}
