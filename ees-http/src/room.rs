//! Room that is shared by small and large ones.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The largest body and the largest answer that count as small, in bytes.
pub(crate) const SMALL_BYTES: usize = 64 * 1024;

/// The part of the room that only small ones get: one in so many.
const SMALL_SHARE: usize = 8;

/// Room for a number of requests, or of bytes. Large ones leave a part of it to small ones.
#[derive(Debug)]
pub(crate) struct Room {
    small: Arc<Semaphore>,
    large: Arc<Semaphore>,
    most: usize,
}

/// The room that a body or an answer has taken. Dropping it gives it back.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    small: Option<OwnedSemaphorePermit>,
    large: Option<OwnedSemaphorePermit>,
}

impl Taken {
    /// How much it is.
    pub(crate) fn amount(&self) -> usize {
        let amount = |part: &Option<OwnedSemaphorePermit>| {
            part.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
        };
        amount(&self.small) + amount(&self.large)
    }
}

impl Room {
    pub(crate) fn new(most: usize) -> Self {
        let most = most.min(Semaphore::MAX_PERMITS);
        let small = most / SMALL_SHARE;
        Self {
            small: Arc::new(Semaphore::new(small)),
            large: Arc::new(Semaphore::new(most - small)),
            most,
        }
    }

    /// Takes room, unless there is none.
    pub(crate) fn take(&self, amount: usize, is_small: bool) -> Option<OwnedSemaphorePermit> {
        let small = is_small.then(|| take(&self.small, amount)).flatten();
        small.or_else(|| take(&self.large, amount))
    }

    /// Takes room for one, in order of arrival. `None` if there never is any.
    pub(crate) async fn turn(&self, is_small: bool) -> Option<OwnedSemaphorePermit> {
        let turn = |room: &Arc<Semaphore>| Arc::clone(room).acquire_owned();
        let taken = if is_small {
            tokio::select! {
                taken = turn(&self.small) => taken,
                taken = turn(&self.large) => taken,
            }
        } else {
            turn(&self.large).await
        };
        taken.ok()
    }

    /// Takes more room for the same one, unless there is none.
    pub(crate) fn grow(&self, taken: &mut Taken, amount: usize, is_small: bool) -> bool {
        let small = is_small.then(|| take(&self.small, amount)).flatten();
        let (part, more) = match small {
            Some(more) => (&mut taken.small, Some(more)),
            None => (&mut taken.large, take(&self.large, amount)),
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

    /// How much is taken.
    pub(crate) fn taken(&self) -> usize {
        let free = self.small.available_permits() + self.large.available_permits();
        self.most.saturating_sub(free)
    }
}

fn take(room: &Arc<Semaphore>, amount: usize) -> Option<OwnedSemaphorePermit> {
    let amount = u32::try_from(amount).unwrap_or(u32::MAX);
    Arc::clone(room).try_acquire_many_owned(amount).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_ones_leave_room_to_small_ones() {
        let room = Room::new(800);
        let (mut large, mut small) = (Taken::default(), Taken::default());
        assert!(room.grow(&mut large, 700, false));
        assert!(
            !room.grow(&mut large, 1, false) && room.take(1, false).is_none(),
            "the rest is for small ones"
        );
        assert!(room.grow(&mut small, 60, true) && room.grow(&mut small, 40, true));
        assert!(!room.grow(&mut small, 1, true) && room.take(1, true).is_none());
        assert_eq!(room.taken(), 800);
        drop(large);
        assert!(room.grow(&mut small, 1, true), "small ones may use all");
        drop(small);
        assert_eq!(room.taken(), 0);
    }
}
