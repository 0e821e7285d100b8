//! How much may go on at once.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::Options;
use crate::error::ApiError;
use crate::params::Params;

/// Counts requests, long polls and buffered bytes. Long polls have a count of their own, so that
/// many who wait do not keep out those who work.
#[derive(Debug, Clone)]
pub(crate) struct Gate(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    requests: Semaphore,
    waiting: Semaphore,
    buffered: Semaphore,
}

impl Gate {
    pub(crate) fn new(options: &Options) -> Self {
        let count = |most: usize| Semaphore::new(most.min(Semaphore::MAX_PERMITS));
        Self(Arc::new(Counts {
            requests: count(options.max_requests),
            waiting: count(options.max_waiting),
            buffered: count(options.max_buffered_bytes),
        }))
    }

    /// Makes room for bytes of a request body; it is given back when the permit is dropped.
    pub(crate) fn buffer(&self, bytes: usize) -> Result<SemaphorePermit<'_>, ApiError> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let room = self.0.buffered.try_acquire_many(bytes);
        room.map_err(|_| too_many("large requests"))
    }
}

/// Lets a request in, or tells it to come back.
pub(crate) async fn admit(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let (count, what) = if is_long_poll(&request) {
        (&gate.0.waiting, "long polls")
    } else {
        (&gate.0.requests, "requests")
    };
    let Ok(_permit) = count.try_acquire() else {
        return too_many(what).into_response();
    };
    next.run(request).await
}

fn is_long_poll(request: &Request) -> bool {
    let polled = matches!(request.uri().path(), "/changesets" | "/events");
    polled && request.method() == Method::GET && Params::of(request.uri()).waits()
}

fn too_many(what: &str) -> ApiError {
    ApiError::overloaded(format!(
        "too many {what} at once; nothing was done, try again later"
    ))
}
