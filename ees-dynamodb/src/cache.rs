//! What is remembered because it is true for ever.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ees_core::adapter::ChangesetKey;
use ees_core::{Checkpoint, Expectation, Head, StreamId};
use lru::LruCache;

/// Remembers changesets that were the last of their streams, by what a committer who knows them
/// expects. What is remembered is true for ever, as changesets never change; whether one still is
/// the last is for the write's condition to say.
#[derive(Debug)]
pub(crate) struct Heads(Mutex<LruCache<(StreamId, Expectation), Head>>);

/// Remembers streams that are nearly full, whoever wrote to them since.
#[derive(Debug)]
pub(crate) struct FullStreams(Mutex<LruCache<StreamId, ()>>);

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
    /// Room for so many ends; each is known by two expectations.
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

    /// Remembers an end.
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

/// No step leaves a cache half changed, so a panic elsewhere does not spoil it.
fn lock<T>(cache: &Mutex<T>) -> MutexGuard<'_, T> {
    cache.lock().unwrap_or_else(PoisonError::into_inner)
}
