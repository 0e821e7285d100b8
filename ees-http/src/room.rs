//! Room for the bytes of request bodies and of answers.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// The largest body and the largest answer that count as small, in bytes.
pub(crate) const SMALL_BYTES: usize = 64 * 1024;

/// The part of the room for bodies that only small ones get: one in so many.
const SMALL_SHARE: usize = 8;

/// The bytes of request bodies and of answers that may be in memory.
#[derive(Debug)]
pub(crate) struct Room {
    small: Semaphore,
    large: Semaphore,
    answers: Arc<Semaphore>,
    most: usize,
}

/// The room that a body has taken. Dropping it gives it back.
#[derive(Debug, Default)]
pub(crate) struct Taken<'a> {
    small: Option<SemaphorePermit<'a>>,
    large: Option<SemaphorePermit<'a>>,
}

impl Room {
    pub(crate) fn new(bodies: usize, answers: usize) -> Self {
        let most = bodies.min(Semaphore::MAX_PERMITS);
        let small = most / SMALL_SHARE;
        Self {
            small: Semaphore::new(small),
            large: Semaphore::new(most - small),
            answers: Arc::new(Semaphore::new(answers.min(Semaphore::MAX_PERMITS))),
            most,
        }
    }

    /// Makes room for more bytes of a body, unless there is none. Large bodies leave a part of the
    /// room to small ones.
    pub(crate) fn grow<'a>(&'a self, taken: &mut Taken<'a>, bytes: usize, is_small: bool) -> bool {
        let small = is_small.then(|| take(&self.small, bytes)).flatten();
        let (part, more) = match small {
            Some(more) => (&mut taken.small, Some(more)),
            None => (&mut taken.large, take(&self.large, bytes)),
        };
        let Some(more) = more else {
            return false;
        };
        match part {
            Some(part) => part.merge(more),
            None => *part = Some(more),
        }
        true
    }

    /// Makes room for an answer, which a small one does not need. `None` if there is no room.
    pub(crate) fn answer(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let bytes = if bytes <= SMALL_BYTES { 0 } else { bytes };
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.answers).try_acquire_many_owned(bytes);
        room.ok()
    }

    /// How many bytes of bodies are in memory.
    pub(crate) fn buffered(&self) -> usize {
        let free = self.small.available_permits() + self.large.available_permits();
        self.most.saturating_sub(free)
    }
}

fn take(room: &Semaphore, bytes: usize) -> Option<SemaphorePermit<'_>> {
    let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
    room.try_acquire_many(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_bodies_leave_room_to_small_ones() {
        let room = Room::new(800, 0);
        let (mut large, mut small) = (Taken::default(), Taken::default());
        assert!(room.grow(&mut large, 700, false));
        assert!(
            !room.grow(&mut large, 1, false),
            "the rest is for small ones"
        );
        assert!(room.grow(&mut small, 60, true) && room.grow(&mut small, 40, true));
        assert!(!room.grow(&mut small, 1, true));
        assert_eq!(room.buffered(), 800);
        drop(large);
        assert!(room.grow(&mut small, 1, true), "small ones may use all");
        drop(small);
        assert_eq!(room.buffered(), 0);
    }

    #[test]
    fn answers_have_a_bound() {
        let room = Room::new(0, 200_000);
        let held = room.answer(150_000).expect("room");
        assert!(room.answer(100_000).is_none() && room.answer(1000).is_some());
        drop(held);
        assert!(room.answer(100_000).is_some());
    }
}
