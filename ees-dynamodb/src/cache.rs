//! Caches of data that never changes.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ees_core::adapter::ChangesetKey;
use ees_core::{Checkpoint, Expectation, Head, StreamId};
use lru::LruCache;

/// Caches heads of streams, by the expectation of a commit that follows them. An entry stays
/// correct, since changesets never change. The condition of the write decides whether the changeset
/// is still the last of its stream.
#[derive(Debug)]
pub(crate) struct Heads(Mutex<LruCache<(StreamId, Expectation), Head>>);

/// Caches the streams that have reached their size limit.
#[derive(Debug)]
pub(crate) struct FullStreams(Mutex<LruCache<StreamId, ()>>);

/// Caches written positions, so that the indexer does not read back what it wrote.
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

impl FullStreams {
    pub(crate) fn new(capacity: NonZeroUsize) -> Self {
        Self(Mutex::new(LruCache::new(capacity)))
    }

    pub(crate) fn contains(&self, stream_id: &StreamId) -> bool {
        lock(&self.0).get(stream_id).is_some()
    }

    pub(crate) fn learn(&self, stream_id: &StreamId) {
        lock(&self.0).put(stream_id.clone(), ());
    }
}

impl Heads {
    /// A cache for this number of heads. Each head has two entries, one for each kind of
    /// expectation.
    pub(crate) fn new(capacity: NonZeroUsize) -> Self {
        Self(Mutex::new(LruCache::new(
            capacity.saturating_add(capacity.get()),
        )))
    }

    pub(crate) fn get(&self, stream_id: &StreamId, expectation: Expectation) -> Option<Head> {
        lock(&self.0)
            .get(&(stream_id.clone(), expectation))
            .copied()
    }

    /// Adds a head.
    pub(crate) fn learn(&self, stream_id: &StreamId, head: Head) {
        let mut heads = lock(&self.0);
        for expectation in [
            Expectation::LastChangeset(head.last_changeset.get()),
            Expectation::LastEvent(head.last_event.get()),
        ] {
            heads.put((stream_id.clone(), expectation), head);
        }
    }
}

/// Locks a cache. A panic elsewhere does not invalidate it, since every step leaves it consistent.
fn lock<T>(cache: &Mutex<T>) -> MutexGuard<'_, T> {
    cache.lock().unwrap_or_else(PoisonError::into_inner)
}
