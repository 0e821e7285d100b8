//! Limits on concurrent requests, long polls and buffered bytes.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use crate::error::ApiError;
use crate::options::Options;
use crate::permit::Permit;
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
    buffered: Semaphore,
    turned_away: TurnedAway,
}

impl Gate {
    pub(crate) fn new(options: &Options) -> Self {
        let limit = |most: usize| Semaphore::new(most.min(Semaphore::MAX_PERMITS));
        Self(Arc::new(Limits {
            requests: Arc::new(limit(options.max_requests)),
            polls: limit(options.max_waiting),
            event_streams: Arc::new(limit(options.max_event_streams)),
            turns: Arc::new(limit(options.max_requests)),
            buffered: limit(options.max_buffered_bytes),
            turned_away: TurnedAway::default(),
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

    /// Makes room for bytes of a request body. Dropping the result gives it back.
    pub(crate) fn buffer(&self, bytes: usize) -> Result<SemaphorePermit<'_>, ApiError> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let room = self.0.buffered.try_acquire_many(bytes);
        room.map_err(|_| self.too_many("large requests"))
    }

    fn too_many(&self, kind: &str) -> ApiError {
        self.0.turned_away.count(kind);
        ApiError::overloaded(format!(
            "too many concurrent {kind}; nothing was written, try again later"
        ))
    }
}
