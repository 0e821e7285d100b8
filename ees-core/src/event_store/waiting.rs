//! Waiting at the end of the global order, as a long poll does.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::{Either, select};

use super::{EventStore, GlobalEventPage};
use crate::{Checkpoint, Error, EventCheckpoint, GlobalPage, PageLimit};

/// The first pause after a wake-up that brought nothing for this reader.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

impl EventStore {
    /// As [`EventStore::global_changesets`], but if there is nothing from the checkpoint on, waits
    /// for a changeset, for at most `wait`.
    ///
    /// # Errors
    /// [`Error::CheckpointBeyondHead`], or [`Error::Storage`] if the storage fails.
    pub async fn await_changesets(
        &self,
        from: Checkpoint,
        limit: PageLimit,
        wait: Duration,
    ) -> Result<GlobalPage, Error> {
        let read = || self.poll_changesets(from, limit);
        let is_empty = |page: &GlobalPage| page.changesets.is_empty();
        self.await_global(from.into(), wait, read, is_empty).await
    }

    /// As [`EventStore::global_events`], but if there is nothing from the checkpoint on, waits for
    /// an event, for at most `wait`.
    ///
    /// # Errors
    /// [`Error::CheckpointBeyondHead`], or [`Error::Storage`] if the storage fails.
    pub async fn await_events(
        &self,
        from: EventCheckpoint,
        limit: PageLimit,
        wait: Duration,
    ) -> Result<GlobalEventPage, Error> {
        let read = || self.poll_events(from, limit);
        let is_empty = |page: &GlobalEventPage| page.events.is_empty();
        self.await_global(from, wait, read, is_empty).await
    }

    /// Waits for a page of the global order, and checks the checkpoint of the first empty one.
    async fn await_global<P, R: Future<Output = Result<P, Error>>>(
        &self,
        from: EventCheckpoint,
        wait: Duration,
        read: impl Fn() -> R,
        is_empty: impl Fn(&P) -> bool,
    ) -> Result<P, Error> {
        let checked = AtomicBool::new(false);
        let read = || async {
            let page = read().await?;
            if is_empty(&page) && !checked.swap(true, Ordering::Relaxed) {
                self.check_checkpoint(from).await?;
            }
            Ok(page)
        };
        self.await_page(wait, read, &is_empty).await
    }

    /// As [`EventStore::await_changesets`], with a read function of the caller: for instance one that
    /// limits how many waiting readers read at the same time.
    ///
    /// It subscribes to the wake-up first and then reads, so a commit between the two is not
    /// missed. A woken reader may find nothing: it waits beyond the end, or the order lags behind
    /// the commits. It then pauses before it reads again, longer each time. So many such readers
    /// cost little, even at a high rate of commits.
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
