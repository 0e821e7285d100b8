//! How much may go on at once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use crate::Options;
use crate::error::ApiError;
use crate::params::Params;
use crate::routes::refused;

/// How often the log tells that requests are turned away.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// Counts requests, long polls and buffered bytes. Long polls have counts of their own, so that
/// many who wait do not keep out those who work, also when news wakes them all.
#[derive(Debug, Clone)]
pub(crate) struct Gate(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    requests: Arc<Semaphore>,
    polls: Semaphore,
    /// How many of the long polls read and are answered: as many as there may be requests.
    turns: Arc<Semaphore>,
    buffered: Semaphore,
    turned_away: Mutex<TurnedAway>,
}

/// The requests that the log has not told of yet.
#[derive(Debug, Default)]
struct TurnedAway {
    untold: u64,
    told: Option<Instant>,
}

/// A request's place among those that run, until its answer has gone to the last byte.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place(Arc<Mutex<Option<OwnedSemaphorePermit>>>);

impl Place {
    /// Gives the place back, while the request only waits.
    pub(crate) fn leave(&self) {
        self.set(None);
    }

    fn set(&self, permit: Option<OwnedSemaphorePermit>) {
        *lock(&self.0) = permit;
    }

    /// Keeps the place until whoever sends the answer has let go of its bytes.
    pub(crate) async fn hold(self, response: Response) -> Response {
        let (head, body) = response.into_parts();
        // The answers are whole in memory already.
        let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
        let placed = Placed {
            bytes,
            _place: self,
        };
        Response::from_parts(head, Body::from(Bytes::from_owner(placed)))
    }
}

/// The bytes of an answer, which take a place.
struct Placed {
    bytes: Bytes,
    _place: Place,
}

impl AsRef<[u8]> for Placed {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Gate {
    pub(crate) fn new(options: &Options) -> Self {
        let count = |most: usize| Semaphore::new(most.min(Semaphore::MAX_PERMITS));
        Self(Arc::new(Counts {
            requests: Arc::new(count(options.max_requests)),
            polls: count(options.max_waiting),
            turns: Arc::new(count(options.max_requests)),
            buffered: count(options.max_buffered_bytes),
            turned_away: Mutex::default(),
        }))
    }

    /// Takes a place among the requests, if there is one.
    pub(crate) fn enter(&self, place: &Place) -> Result<(), ApiError> {
        let permit = Arc::clone(&self.0.requests).try_acquire_owned();
        let permit = permit.map_err(|_| self.too_many("requests"))?;
        place.set(Some(permit));
        Ok(())
    }

    /// Waits for a place among the long polls that read.
    pub(crate) async fn take_turn(&self, place: &Place) {
        place.leave();
        place.set(Arc::clone(&self.0.turns).acquire_owned().await.ok());
    }

    /// Makes room for bytes of a request body; it is given back when the permit is dropped.
    pub(crate) fn buffer(&self, bytes: usize) -> Result<SemaphorePermit<'_>, ApiError> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let room = self.0.buffered.try_acquire_many(bytes);
        room.map_err(|_| self.too_many("large requests"))
    }

    fn too_many(&self, what: &str) -> ApiError {
        let mut turned_away = lock(&self.0.turned_away);
        turned_away.untold += 1;
        if turned_away
            .told
            .is_none_or(|told| told.elapsed() >= TOLD_EVERY)
        {
            let refused = std::mem::take(&mut turned_away.untold);
            turned_away.told = Some(Instant::now());
            tracing::warn!(
                refused,
                "too many {what} at once: turned away with OVERLOADED"
            );
        }
        ApiError::overloaded(format!(
            "too many {what} at once; nothing was done, try again later"
        ))
    }
}

/// Lets a request in, or tells it to come back.
pub(crate) async fn admit(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let place = Place::default();
    let admitted = if is_long_poll(&request) {
        let poll = gate.0.polls.try_acquire();
        poll.map(Some).map_err(|_| gate.too_many("long polls"))
    } else {
        gate.enter(&place).map(|()| None)
    };
    let _poll = match admitted {
        Ok(poll) => poll,
        Err(error) => return refused(error, request).await.into_response(),
    };
    request.extensions_mut().insert(place.clone());
    let mut response = next.run(request).await;
    response.extensions_mut().insert(place);
    response
}

fn is_long_poll(request: &Request) -> bool {
    let polled = matches!(request.uri().path(), "/changesets" | "/events");
    let read = matches!(*request.method(), Method::GET | Method::HEAD);
    polled && read && Params::of(request.uri()).waits()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
