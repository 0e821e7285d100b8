//! A request's permit to run, and the room for its answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, to_bytes};
use axum::response::Response;
use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use crate::clients::{Client, Step};
use crate::pieces::Pieces;
use crate::room::Taken;

/// A request's permit to run, until its answer is made; and the room for the answer, until the client
/// has received its last byte. Clones share it. It is empty until the gate fills it, and while the
/// request only waits.
#[derive(Debug, Clone, Default)]
pub(crate) struct Permit {
    held: Arc<Mutex<Held>>,
    /// Who asked, if a server of this crate knows.
    client: Option<Client>,
}

/// What a request has of the limits.
#[derive(Debug, Default)]
struct Held {
    /// The permit to run.
    run: Option<OwnedSemaphorePermit>,
    /// The room for the bytes of its answer.
    room: Taken,
}

impl Permit {
    /// The empty permit of a client's request.
    pub(crate) fn of(client: Option<Client>) -> Self {
        Self {
            held: Arc::default(),
            client,
        }
    }

    /// Gives the permit back, while the request only waits.
    pub(crate) fn release(&self) {
        self.set(None);
    }

    pub(crate) fn set(&self, permit: Option<OwnedSemaphorePermit>) {
        self.lock().run = permit;
    }

    /// How many bytes of the answer have room.
    pub(crate) fn room(&self) -> usize {
        self.lock().room.amount()
    }

    /// Changes the room for the bytes of the answer.
    pub(crate) fn change_room<T>(&self, change: impl FnOnce(&mut Taken) -> T) -> T {
        change(&mut self.lock().room)
    }

    /// Who asked.
    pub(crate) fn client(&self) -> Option<&Client> {
        self.client.as_ref()
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the run of a request. Its answer keeps its room until the client has received it.
    pub(crate) async fn hold(self, response: Response) -> Response {
        let (parts, body) = response.into_parts();
        // The answers are whole in memory already.
        let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
        Response::from_parts(parts, Body::new(self.keep(bytes)))
    }

    /// The bytes of an answer, or of a part of one. They keep its room, if they need any.
    pub(crate) fn keep(&self, bytes: impl Into<Bytes>) -> Pieces {
        self.release();
        let room = std::mem::take(&mut self.lock().room);
        let waiting = || self.client.as_ref().map(|client| client.wait(Step::Take));
        let kept = (room.amount() > 0).then(|| (room, waiting()));
        Pieces::new(bytes.into(), kept)
    }
}
