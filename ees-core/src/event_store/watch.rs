//! One look at the head of the global order for all readers that wait there.
//!
//! A wake-up may be lost, and another process may commit. So one of the readers that wait, the one that
//! leads, looks at the head once per poll interval, and wakes the others when it has moved. What idle
//! readers cost therefore does not depend on their number.

use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use event_listener::Event;
use futures_util::future::{Either, select};

use crate::Checkpoint;
use crate::adapter::News;
use crate::ports::{Clock, Storage};

/// A reader that saw no look for so many poll intervals leads from then on: whoever led may not be
/// polled any more, or its look does not end.
const PATIENCE: u32 = 5;

/// So many of the readers that wait are deputies, which have this patience. The others have more, so that
/// the timers of many idle readers cost little.
const DEPUTIES: u32 = 8;

/// The patience of a reader that is no deputy, in poll intervals: all deputies may have stopped as well.
const LONG_PATIENCE: u32 = 60;

/// What the readers that wait at the head share.
#[derive(Debug, Default)]
pub(super) struct Watch {
    state: Mutex<State>,
    moved: News,
    vacancy: Event,
}

#[derive(Debug, Default)]
struct State {
    /// The head, as it was seen last.
    head: Option<Checkpoint>,
    looks: u64,
    failures: u64,
    /// Who leads, by number.
    leader: Option<u64>,
    leaders: u64,
    deputies: u32,
}

/// How a look is made, and how often.
#[derive(Clone, Copy)]
pub(super) struct Looks<'a> {
    pub(super) storage: &'a dyn Storage,
    pub(super) clock: &'a dyn Clock,
    pub(super) every: Duration,
}

/// The lead of one reader, until it is dropped or another one takes it.
struct Lead<'a> {
    watch: &'a Watch,
    number: u64,
}

/// A deputy's place, until it is dropped.
struct Deputy<'a>(&'a Watch);

impl Watch {
    /// How many looks have failed. A reader asks before it reads.
    pub(super) fn failures(&self) -> u64 {
        self.lock().failures
    }

    /// Resolves once the head is beyond a position, or more looks have failed: the reader then finds out
    /// by a read of its own. It looks itself while no other reader does.
    pub(super) async fn beyond(&self, position: Checkpoint, failures: u64, looks: Looks<'_>) {
        let told = async {
            loop {
                let moved = self.moved.listen();
                if self.is_beyond(position, failures) {
                    break;
                }
                moved.await;
            }
        };
        let looking = self.see_to_looks(looks, || self.is_beyond(position, failures));
        select(pin!(told), pin!(looking)).await;
    }

    fn is_beyond(&self, position: Checkpoint, failures: u64) -> bool {
        let state = self.lock();
        state.head > Some(position) || state.failures != failures
    }

    /// Looks while this reader leads, until it has found enough; waits for the lead otherwise.
    async fn see_to_looks(&self, looks: Looks<'_>, is_enough: impl Fn() -> bool) {
        let mut is_overdue = false;
        let mut deputy = None;
        loop {
            if let Some(lead) = self.lead(is_overdue) {
                deputy = None;
                while lead.look(looks).await {
                    if is_enough() {
                        return;
                    }
                }
            }
            // A reader that leads does not listen: the next vacancy is for one that does not.
            let vacancy = self.vacancy.listen();
            is_overdue = false;
            let (has_leader, seen) = self.leader_and_looks();
            if !has_leader {
                continue;
            }
            deputy = deputy.or_else(|| self.deputize());
            let intervals = if deputy.is_some() {
                PATIENCE
            } else {
                LONG_PATIENCE
            };
            let patience = looks.clock.sleep(looks.every * intervals);
            if let Either::Right(_) = select(vacancy, patience).await {
                is_overdue = self.leader_and_looks() == (true, seen);
            }
        }
    }

    fn leader_and_looks(&self) -> (bool, u64) {
        let state = self.lock();
        (state.leader.is_some(), state.looks)
    }

    fn lead(&self, is_overdue: bool) -> Option<Lead<'_>> {
        let mut state = self.lock();
        if state.leader.is_some() && !is_overdue {
            return None;
        }
        state.leaders += 1;
        state.leader = Some(state.leaders);
        Some(Lead {
            watch: self,
            number: state.leaders,
        })
    }

    fn deputize(&self) -> Option<Deputy<'_>> {
        let mut state = self.lock();
        if state.deputies >= DEPUTIES {
            return None;
        }
        state.deputies += 1;
        Some(Deputy(self))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lead<'_> {
    /// Looks after an interval. Returns whether this reader still leads.
    async fn look(&self, looks: Looks<'_>) -> bool {
        looks.clock.sleep(looks.every).await;
        self.tell(looks.storage.next_checkpoint().await.ok())
    }

    /// Tells the readers what a look found; `None` if it failed. Returns whether this reader still leads; otherwise its look
    /// may be an old one, and is not told.
    fn tell(&self, found: Option<Checkpoint>) -> bool {
        let mut state = self.watch.lock();
        if state.leader != Some(self.number) {
            return false;
        }
        state.looks += 1;
        let before = (state.head, state.failures);
        match found {
            Some(_) => state.head = found,
            None => state.failures += 1,
        }
        let is_news = before != (state.head, state.failures);
        drop(state);
        if is_news {
            self.watch.moved.announce();
        }
        true
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        let mut state = self.watch.lock();
        if state.leader == Some(self.number) {
            state.leader = None;
            drop(state);
            self.watch.vacancy.notify(1);
        }
    }
}

impl Drop for Deputy<'_> {
    fn drop(&mut self) {
        self.0.lock().deputies -= 1;
    }
}
