//! What is remembered because it is true for ever.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ees_core::ports::ChangesetKey;
use ees_core::{Checkpoint, Expectation, Head, StreamId};
use lru::LruCache;

/// Remembers changesets that were the last of their streams, by what a committer who knows them
/// expects. What is remembered is true for ever, as changesets never change; whether one still is
/// the last is for the write's condition to say.
#[derive(Debug)]
pub(crate) struct Heads(Mutex<LruCache<(StreamId, Expectation), Known>>);

/// Remembers positions that were written, so that the indexer need not read again what it wrote
/// itself.
#[derive(Debug)]
pub(crate) struct Positions(Mutex<LruCache<ChangesetKey, Checkpoint>>);

impl Positions {
    pub(crate) fn new(capacity: NonZeroUsize) -> Self {
        Self(Mutex::new(LruCache::new(capacity)))
    }

    pub(crate) fn get(&self, key: &ChangesetKey) -> Option<Checkpoint> {
        lock(&self.0).get(key).copied()
    }

    pub(crate) fn learn(&self, key: &ChangesetKey, position: Checkpoint) {
        lock(&self.0).put(key.clone(), position);
    }
}

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
        lock(&self.0)
            .get(&(stream_id.clone(), expectation))
            .copied()
    }

    /// Remembers an end; that a stream is nearly full is not forgotten for it.
    pub(crate) fn learn(&self, stream_id: &StreamId, head: Head, full: bool) {
        let mut heads = lock(&self.0);
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
}

/// No step leaves a cache half changed, so a panic elsewhere does not spoil it.
fn lock<T>(cache: &Mutex<T>) -> MutexGuard<'_, T> {
    cache.lock().unwrap_or_else(PoisonError::into_inner)
}
