//! The bytes of an answer, piece by piece: each piece that the connection takes is progress of the
//! client.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::HttpBody;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::clients::Waiting;
use crate::room::Taken;

/// The size of a piece.
const PIECE_BYTES: usize = 64 * 1024;

/// The bytes of an answer. They keep their room until the last of them is dropped.
#[derive(Debug)]
pub(crate) struct Pieces {
    rest: Bytes,
    waiting: Option<Arc<Waiting>>,
}

/// The bytes, with what they keep.
struct Kept {
    bytes: Bytes,
    _room: Taken,
    _waiting: Option<Arc<Waiting>>,
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Pieces {
    /// Bytes with their room, and whom they wait for, if they need room.
    pub(crate) fn new(bytes: Bytes, kept: Option<(Taken, Option<Waiting>)>) -> Self {
        let Some((room, waiting)) = kept else {
            return Self {
                rest: bytes,
                waiting: None,
            };
        };
        let waiting = waiting.map(Arc::new);
        let kept = Kept {
            bytes,
            _room: room,
            _waiting: waiting.clone(),
        };
        Self {
            rest: Bytes::from_owner(kept),
            waiting,
        }
    }
}

impl Iterator for Pieces {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        if let Some(waiting) = &self.waiting {
            waiting.moved();
        }
        let piece = self.rest.len().min(PIECE_BYTES);
        (piece > 0).then(|| self.rest.split_to(piece))
    }
}

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.next().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len().try_into().unwrap_or(u64::MAX))
    }
}
