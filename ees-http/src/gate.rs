//! Limits on concurrent requests, long polls and buffered bytes.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use crate::clients::{Client, Step};
use crate::error::ApiError;
use crate::held_back::HeldBack;
use crate::long_work::work;
use crate::measure::set;
use crate::options::Options;
use crate::permit::Permit;
use crate::room::{Room, SMALL_BYTES, Taken};
use crate::turned_away::TurnedAway;

/// An answer of so many bytes needs no room: the receipt of a commit is never refused.
const TINY_BYTES: usize = 8 * 1024;

/// How long a request waits for its turn to run.
const PATIENCE: Duration = Duration::from_millis(500);

/// How many clients are cut off to make room for one.
const MOST_CUTS: usize = 64;

/// How long a client that was cut off may take to give its room back, before another one is.
const CUT_PAUSE: Duration = Duration::from_millis(10);

/// Limits requests, long polls and buffered bytes. Long polls have limits of their own, so
/// that other requests can run however many long polls wait, also when a commit wakes all of them.
#[derive(Debug, Clone)]
pub(crate) struct Gate(Arc<Limits>);

#[derive(Debug)]
struct Limits {
    /// The requests that run. A part is for small ones.
    requests: Room,
    /// The requests that wait to run. The limit equals that on requests.
    queue: Semaphore,
    /// The long polls that are open.
    polls: Semaphore,
    /// The event streams that are open.
    event_streams: Arc<Semaphore>,
    /// The long polls that read. The limit equals that on requests.
    turns: Arc<Semaphore>,
    /// The bytes of bodies.
    bodies: Room,
    /// The bytes of answers.
    answers: Room,
    /// The refusals of large answers that are held back. The limit equals that on long polls.
    held_back: HeldBack,
    turned_away: TurnedAway,
    most: Most,
}

/// The limits themselves.
#[derive(Debug)]
struct Most {
    requests: usize,
    polls: usize,
    event_streams: usize,
}

impl Gate {
    pub(crate) fn new(options: &Options) -> Self {
        let most = Most {
            requests: options.max_requests.min(Semaphore::MAX_PERMITS),
            polls: options.max_waiting.min(Semaphore::MAX_PERMITS),
            event_streams: options.max_event_streams.min(Semaphore::MAX_PERMITS),
        };
        Self(Arc::new(Limits {
            requests: Room::new(most.requests),
            queue: Semaphore::new(most.requests),
            polls: Semaphore::new(most.polls),
            event_streams: Arc::new(Semaphore::new(most.event_streams)),
            turns: Arc::new(Semaphore::new(most.requests)),
            bodies: Room::new(options.max_buffered_bytes),
            answers: Room::new(options.max_answer_bytes),
            held_back: HeldBack::new(most.polls, options.closing.clone()),
            turned_away: TurnedAway::default(),
            most,
        }))
    }

    /// Fills the permit of a request. While too many requests run, it waits a moment, in order of
    /// arrival, unless too many wait already.
    pub(crate) async fn enter(&self, permit: &Permit, is_small: bool) -> Result<(), ApiError> {
        let entered = match self.0.requests.take(1, is_small) {
            Some(entered) => Some(entered),
            None => self.queue(is_small).await,
        };
        permit.set(Some(entered.ok_or_else(|| self.too_many("requests"))?));
        Ok(())
    }

    async fn queue(&self, is_small: bool) -> Option<OwnedSemaphorePermit> {
        let _place = self.0.queue.try_acquire().ok()?;
        let turn = self.0.requests.turn(is_small);
        tokio::time::timeout(PATIENCE, turn).await.ok()?
    }

    /// Opens a long poll, unless too many are open. It ends when the result is dropped.
    pub(crate) fn open_poll(&self) -> Result<SemaphorePermit<'_>, ApiError> {
        let poll = self.0.polls.try_acquire();
        poll.map_err(|_| self.too_many("long polls"))
    }

    /// Opens an event stream, unless too many are open. It ends when the result is dropped.
    pub(crate) fn open_event_stream(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        let opened = Arc::clone(&self.0.event_streams).try_acquire_owned();
        opened.map_err(|_| self.too_many("event streams"))
    }

    /// Waits until the long poll or the event stream may read, and fills its permit.
    pub(crate) async fn take_turn(&self, permit: &Permit) {
        permit.release();
        permit.set(Arc::clone(&self.0.turns).acquire_owned().await.ok());
    }

    /// Makes room for more bytes of a request body. Dropping `taken` gives it back.
    pub(crate) async fn buffer(
        &self,
        client: Option<&Client>,
        taken: &mut Taken,
        bytes: usize,
        is_small: bool,
    ) -> Result<(), ApiError> {
        let grow = || self.0.bodies.grow(taken, bytes, is_small).then_some(());
        let room = make_room(client, Step::Send, grow).await;
        room.ok_or_else(|| self.too_many("large requests"))
    }

    /// Makes room for an answer of so many bytes, unless there is as much already. The permit gives it
    /// back.
    pub(crate) async fn answer(&self, permit: &Permit, bytes: usize) -> Result<(), ApiError> {
        let missing = bytes.saturating_sub(permit.room());
        if bytes <= TINY_BYTES || missing == 0 {
            return Ok(());
        }
        let is_small = bytes <= SMALL_BYTES;
        let grow = |room: &mut Taken| self.0.answers.grow(room, missing, is_small);
        let grow = || permit.change_room(grow).then_some(());
        let room = make_room(permit.client(), Step::Take, grow).await;
        room.ok_or_else(|| {
            let mut refused = self.too_many("large answers");
            refused.more.is_held_back = true;
            refused
        })
    }

    /// Makes room for a part of an answer that is read before the client takes the part before it. Nobody
    /// is cut off for it. Returns whether there was room.
    pub(crate) fn answer_ahead(&self, permit: &Permit, bytes: usize) -> bool {
        permit.change_room(|room| self.0.answers.grow(room, bytes, false))
    }

    /// Holds the refusal of a large answer back for a moment, without its permit. Clients that take
    /// none would ask for it thousands of times a second.
    pub(crate) async fn hold_back(&self, permit: &Permit, refused: &ApiError) {
        if refused.more.is_held_back {
            permit.release();
            self.0.held_back.wait().await;
        }
    }

    /// Writes an answer that copies so many bytes, once there is room for it.
    pub(crate) async fn write<T>(
        &self,
        permit: &Permit,
        bytes: usize,
        write: impl FnOnce() -> T,
    ) -> Result<T, ApiError> {
        self.answer(permit, bytes).await?;
        Ok(work(bytes, write).await)
    }

    /// Measures what the limits let in.
    pub(crate) fn measure(&self) {
        let limits = &*self.0;
        let count = |many: usize| u64::try_from(many).unwrap_or(u64::MAX);
        let taken =
            |most: usize, free: &Semaphore| count(most.saturating_sub(free.available_permits()));
        let requests = count(limits.requests.taken());
        let reading = taken(limits.most.requests, &limits.turns);
        set("ees_requests_in_flight", requests + reading);
        set(
            "ees_waiting_readers",
            taken(limits.most.polls, &limits.polls),
        );
        set(
            "ees_event_streams",
            taken(limits.most.event_streams, &limits.event_streams),
        );
        set("ees_buffered_bytes", count(limits.bodies.taken()));
    }

    fn too_many(&self, kind: &str) -> ApiError {
        self.0.turned_away.count(kind);
        ApiError::overloaded(format!(
            "too many concurrent {kind}; nothing was written, try again later"
        ))
    }
}

/// Tries to take room. While there is none, cuts off the client that has not made this step for
/// longest, and tries again.
async fn make_room<T>(
    client: Option<&Client>,
    step: Step,
    mut take: impl FnMut() -> Option<T>,
) -> Option<T> {
    for _ in 0..MOST_CUTS {
        if let Some(room) = take() {
            return Some(room);
        }
        if !client?.cut_longest(step) {
            break;
        }
        tokio::time::sleep(CUT_PAUSE).await;
    }
    take()
}

#[cfg(test)]
mod tests;
