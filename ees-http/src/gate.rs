//! Limits on concurrent requests, long polls and buffered bytes.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use crate::error::ApiError;
use crate::measure::set;
use crate::options::Options;
use crate::permit::Permit;
use crate::room::{Room, Taken};
use crate::turned_away::TurnedAway;

/// Limits requests, long polls and buffered bytes. Long polls have limits of their own, so
/// that other requests can run however many long polls wait, also when a commit wakes all of them.
#[derive(Debug, Clone)]
pub(crate) struct Gate(Arc<Limits>);

#[derive(Debug)]
struct Limits {
    requests: Arc<Semaphore>,
    /// The long polls that are open.
    polls: Semaphore,
    /// The event streams that are open.
    event_streams: Arc<Semaphore>,
    /// The long polls that read or are answered. The limit equals that on requests.
    turns: Arc<Semaphore>,
    room: Room,
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
            requests: Arc::new(Semaphore::new(most.requests)),
            polls: Semaphore::new(most.polls),
            event_streams: Arc::new(Semaphore::new(most.event_streams)),
            turns: Arc::new(Semaphore::new(most.requests)),
            room: Room::new(options.max_buffered_bytes, options.max_answer_bytes),
            turned_away: TurnedAway::default(),
            most,
        }))
    }

    /// Fills the permit of a request, unless too many requests run.
    pub(crate) fn enter(&self, permit: &Permit) -> Result<(), ApiError> {
        let entered = Arc::clone(&self.0.requests).try_acquire_owned();
        permit.set(Some(entered.map_err(|_| self.too_many("requests"))?));
        Ok(())
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
    pub(crate) fn buffer<'a>(
        &'a self,
        taken: &mut Taken<'a>,
        bytes: usize,
        is_small: bool,
    ) -> Result<(), ApiError> {
        let is_there = self.0.room.grow(taken, bytes, is_small);
        is_there
            .then_some(())
            .ok_or_else(|| self.too_many("large requests"))
    }

    /// Makes room for an answer. The permit gives it back.
    pub(crate) fn answer(&self, permit: &Permit, bytes: usize) -> Result<(), ApiError> {
        let room = self.0.room.answer(bytes);
        permit.keep_room(room.ok_or_else(|| self.too_many("large answers"))?);
        Ok(())
    }

    /// Measures what the limits let in.
    pub(crate) fn measure(&self) {
        let limits = &*self.0;
        let taken = |most: usize, free: &Semaphore| {
            let taken = most.saturating_sub(free.available_permits());
            u64::try_from(taken).unwrap_or(u64::MAX)
        };
        let requests = taken(limits.most.requests, &limits.requests);
        let answering = taken(limits.most.requests, &limits.turns);
        set("ees_requests_in_flight", requests + answering);
        set(
            "ees_waiting_readers",
            taken(limits.most.polls, &limits.polls),
        );
        set(
            "ees_event_streams",
            taken(limits.most.event_streams, &limits.event_streams),
        );
        let buffered = limits.room.buffered();
        set(
            "ees_buffered_bytes",
            u64::try_from(buffered).unwrap_or(u64::MAX),
        );
    }

    fn too_many(&self, kind: &str) -> ApiError {
        self.0.turned_away.count(kind);
        ApiError::overloaded(format!(
            "too many concurrent {kind}; nothing was written, try again later"
        ))
    }
}
