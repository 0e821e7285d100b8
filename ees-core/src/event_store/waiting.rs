//! Waiting at the end of the global order, as a long poll does.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::{Either, select};

use super::watch::Looks;
use super::{EventStore, GlobalEventPage};
use crate::{Checkpoint, Error, EventCheckpoint, GlobalPage, PageLimit};

/// The first pause after a read that brought nothing for this reader.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// The longest pause after a filtered read that passed only a few changesets.
const LONGEST_PAUSE_ON_THE_WAY: Duration = Duration::from_millis(100);

/// A filtered read that passed as many changesets is not at the end yet: the next one follows at once.
const ON_THE_WAY: u64 = 1000;

/// A page of the global order: of changesets, or of events.
pub trait Onward {
    /// A position in the order.
    type Position: Copy + PartialEq + Into<EventCheckpoint>;

    /// Whether it holds nothing.
    fn is_empty(&self) -> bool;

    /// Where the next page begins. If it is not where an empty page began, a filter passed everything
    /// in between.
    fn next(&self) -> Self::Position;

    /// If a reader at this position gets nothing until the head of the global order is beyond another
    /// position: that one. Otherwise the reader reads once per poll interval.
    fn gets_beyond(_at: Self::Position) -> Option<Checkpoint> {
        None
    }
}

impl Onward for GlobalPage {
    type Position = Checkpoint;

    fn is_empty(&self) -> bool {
        self.changesets.is_empty()
    }

    fn next(&self) -> Checkpoint {
        self.next
    }

    fn gets_beyond(at: Checkpoint) -> Option<Checkpoint> {
        Some(at)
    }
}

impl Onward for GlobalEventPage {
    type Position = EventCheckpoint;

    fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    fn next(&self) -> EventCheckpoint {
        self.next
    }

    /// A position inside a changeset that gets nothing is behind its last event.
    fn gets_beyond(at: EventCheckpoint) -> Option<Checkpoint> {
        Some(at.changeset.plus(u64::from(at.index > 0)))
    }
}

/// A page that is read again at the same place until it is not empty, such as a page of a stream.
#[derive(Debug)]
pub struct InPlace<P> {
    /// The page.
    pub page: P,
    /// Whether it holds nothing.
    pub is_empty: bool,
}

impl<P> Onward for InPlace<P> {
    type Position = Checkpoint;

    fn is_empty(&self) -> bool {
        self.is_empty
    }

    fn next(&self) -> Checkpoint {
        Checkpoint::FIRST
    }
}

impl EventStore {
    /// As [`EventStore::global_changesets`], but if there is nothing from the checkpoint on, waits
    /// for a changeset, for at most `wait`. A filtered read first goes on to the head. When the time
    /// is up, [`GlobalPage::next`] is as far as it came.
    ///
    /// # Errors
    /// [`Error::CheckpointBeyondHead`], or [`Error::Storage`] if the storage fails.
    pub async fn await_changesets(
        &self,
        from: Checkpoint,
        limit: PageLimit,
        wait: Duration,
    ) -> Result<GlobalPage, Error> {
        self.await_global(from, wait, |from| self.poll_changesets(from, limit))
            .await
    }

    /// As [`EventStore::global_events`], but if there is nothing from the checkpoint on, waits for
    /// an event, for at most `wait`; otherwise as [`EventStore::await_changesets`].
    ///
    /// # Errors
    /// [`Error::CheckpointBeyondHead`], or [`Error::Storage`] if the storage fails.
    pub async fn await_events(
        &self,
        from: EventCheckpoint,
        limit: PageLimit,
        wait: Duration,
    ) -> Result<GlobalEventPage, Error> {
        self.await_global(from, wait, |from| self.poll_events(from, limit))
            .await
    }

    /// Waits for a page of the global order, and checks the checkpoint of the first one that finds
    /// nothing to look at.
    async fn await_global<P: Onward, R: Future<Output = Result<P, Error>>>(
        &self,
        from: P::Position,
        wait: Duration,
        read: impl Fn(P::Position) -> R,
    ) -> Result<P, Error> {
        let checked = AtomicBool::new(false);
        let read = |from: P::Position| {
            let page = read(from);
            let checked = &checked;
            async move {
                let page = page.await?;
                let is_at_end = page.is_empty() && page.next() == from;
                if is_at_end && !checked.swap(true, Ordering::Relaxed) {
                    self.check_checkpoint(from.into()).await?;
                }
                Ok(page)
            }
        };
        self.await_onward(from, wait, read).await
    }

    /// Waits for a page that is not empty, with a read function of the caller: for instance one that
    /// limits how many waiting readers read at the same time.
    ///
    /// # Errors
    /// Those of `read`.
    pub async fn await_page<P, R: Future<Output = Result<P, Error>>>(
        &self,
        wait: Duration,
        read: impl Fn() -> R,
        is_empty: impl Fn(&P) -> bool,
    ) -> Result<P, Error> {
        let read = |_| {
            let (page, is_empty) = (read(), &is_empty);
            async move {
                let page = page.await?;
                let is_empty = is_empty(&page);
                Ok(InPlace { page, is_empty })
            }
        };
        let found = self.await_onward(Checkpoint::FIRST, wait, read).await;
        Ok(found?.page)
    }

    /// The same for a read of the global order. The function gets the position to read from.
    ///
    /// It subscribes to the wake-up first and then reads, so a commit between the two is not
    /// missed. One of the readers that wait at the head looks at it once per poll interval, and wakes
    /// the others if it has moved without a wake-up. A woken reader may find nothing: it waits beyond
    /// the end, or the order lags behind the commits. It then pauses before it reads again, longer each time. So many such readers
    /// cost little, even at a high rate of commits. A filtered reader that found nothing goes on
    /// after what it passed, and waits only at the end.
    ///
    /// # Errors
    /// Those of `read`.
    pub async fn await_onward<P: Onward, R: Future<Output = Result<P, Error>>>(
        &self,
        mut from: P::Position,
        wait: Duration,
        read: impl Fn(P::Position) -> R,
    ) -> Result<P, Error> {
        if wait.is_zero() {
            return read(from).await;
        }
        let mut deadline = self.clock.sleep(wait);
        let mut pause = Duration::ZERO;
        loop {
            let (news, failures) = (self.storage.news(), self.watch.failures());
            let page = read(from).await?;
            if !page.is_empty() {
                return Ok(page);
            }
            let passed = passed(from, &page);
            let is_at_end = page.next() == from;
            if passed >= ON_THE_WAY {
                pause = Duration::ZERO;
            }
            let missed = pin!(self.missed::<P>(from, failures));
            let rest = async {
                if !pause.is_zero() {
                    self.clock.sleep(pause).await;
                }
                if is_at_end {
                    select(news, missed).await;
                }
            };
            match select(deadline, pin!(rest)).await {
                Either::Left(_) => return Ok(page),
                Either::Right(((), running)) => deadline = running,
            }
            pause = (pause * 2).clamp(FIRST_PAUSE, self.longest_pause(passed));
            from = page.next();
        }
    }

    /// Resolves when a reader that waits reads again although no wake-up came.
    async fn missed<P: Onward>(&self, at: P::Position, failures: u64) {
        let Some(position) = P::gets_beyond(at) else {
            return self.clock.sleep(self.poll_interval).await;
        };
        let looks = Looks {
            storage: self.storage.as_ref(),
            clock: self.clock.as_ref(),
            every: self.poll_interval,
        };
        self.watch.beyond(position, failures, looks).await;
    }

    fn longest_pause(&self, passed: u64) -> Duration {
        if passed > 0 {
            LONGEST_PAUSE_ON_THE_WAY
        } else {
            self.poll_interval.max(FIRST_PAUSE)
        }
    }
}

/// How many changesets an empty page passed.
fn passed<P: Onward>(from: P::Position, page: &P) -> u64 {
    let (from, next): (EventCheckpoint, EventCheckpoint) = (from.into(), page.next().into());
    next.changeset.get().saturating_sub(from.changeset.get())
}
