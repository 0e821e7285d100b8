//! The ends of streams that are remembered.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ees_core::{Expectation, Head, StreamId};
use lru::LruCache;

/// Remembers changesets that were the last of their streams, by what a committer who knows them
/// expects. What is remembered is true for ever, as changesets never change; whether one still is
/// the last is for the write's condition to say.
#[derive(Debug)]
pub(crate) struct Heads(Mutex<LruCache<(StreamId, Expectation), Known>>);

/// What is known of a changeset.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    /// The end of the stream that it was.
    pub(crate) head: Head,
    /// Whether the stream was nearly full with it.
    pub(crate) full: bool,
}

impl Heads {
    /// Room for so many ends; each is known by two expectations.
    pub(crate) fn new(capacity: NonZeroUsize) -> Self {
        Self(Mutex::new(LruCache::new(
            capacity.saturating_add(capacity.get()),
        )))
    }

    pub(crate) fn get(&self, stream_id: &StreamId, expectation: Expectation) -> Option<Known> {
        self.lock().get(&(stream_id.clone(), expectation)).copied()
    }

    /// Remembers an end; that a stream is nearly full is not forgotten for it.
    pub(crate) fn learn(&self, stream_id: &StreamId, head: Head, full: bool) {
        let mut heads = self.lock();
        for expectation in [
            Expectation::LastChangeset(head.last_changeset.get()),
            Expectation::LastEvent(head.last_event.get()),
        ] {
            let known =
                heads.get_or_insert_mut((stream_id.clone(), expectation), || Known { head, full });
            let full = full || known.full;
            *known = Known { head, full };
        }
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<(StreamId, Expectation), Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
