//! A request's permit to run.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, to_bytes};
use axum::response::Response;
use bytes::Bytes;
use tokio::sync::OwnedSemaphorePermit;

/// A request's permit to run, until the client has received the last byte of the answer. Clones
/// share it. It is empty until the gate fills it, and while the request only
/// waits.
#[derive(Debug, Clone, Default)]
pub(crate) struct Permit(Arc<Mutex<Held>>);

/// What a request has of the limits.
#[derive(Debug, Default)]
struct Held {
    /// The permit to run.
    run: Option<OwnedSemaphorePermit>,
    /// The room for the bytes of its answer.
    room: Option<OwnedSemaphorePermit>,
}

impl Permit {
    /// Gives the permit back, while the request only waits.
    pub(crate) fn release(&self) {
        self.set(None);
    }

    pub(crate) fn set(&self, permit: Option<OwnedSemaphorePermit>) {
        self.lock().run = permit;
    }

    /// Keeps room for the bytes of the answer.
    pub(crate) fn keep_room(&self, room: OwnedSemaphorePermit) {
        self.lock().room = Some(room);
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the permit until the connection has dropped the bytes of the answer.
    pub(crate) async fn hold(self, response: Response) -> Response {
        let (parts, body) = response.into_parts();
        // The answers are whole in memory already.
        let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
        Response::from_parts(parts, Body::from(self.keep(bytes)))
    }

    /// The bytes of an answer, or of a part of one. They keep the permit until they are dropped.
    pub(crate) fn keep(self, bytes: impl Into<Bytes>) -> Bytes {
        Bytes::from_owner(Answer {
            bytes: bytes.into(),
            _permit: self,
        })
    }
}

/// The bytes of an answer, with the permit.
struct Answer {
    bytes: Bytes,
    _permit: Permit,
}

impl AsRef<[u8]> for Answer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
