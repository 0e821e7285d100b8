//! Snapshots in memory.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use ees_core::StreamId;
use lru::LruCache;

use super::{Snapshot, SnapshotError, Snapshots};

/// An estimate of what an entry has beside its texts, in bytes.
const ENTRY_BYTES: usize = 256;

/// Snapshots in the memory of the process, up to a number of bytes: those that were used last.
pub struct MemorySnapshots {
    max_bytes: usize,
    kept: Mutex<Kept>,
}

struct Kept {
    snapshots: LruCache<StreamId, Snapshot>,
    bytes: usize,
}

impl MemorySnapshots {
    /// Keeps at most about so many bytes.
    pub fn new(max_bytes: usize) -> Self {
        let kept = Kept {
            snapshots: LruCache::unbounded(),
            bytes: 0,
        };
        Self {
            max_bytes,
            kept: Mutex::new(kept),
        }
    }
}

impl Kept {
    fn put(&mut self, stream: &StreamId, snapshot: Snapshot, max_bytes: usize) {
        self.bytes += size(stream, &snapshot);
        if let Some(former) = self.snapshots.put(stream.clone(), snapshot) {
            self.bytes -= size(stream, &former);
        }
        while self.bytes > max_bytes
            && let Some((stream, oldest)) = self.snapshots.pop_lru()
        {
            self.bytes -= size(&stream, &oldest);
        }
    }
}

fn size(stream: &StreamId, snapshot: &Snapshot) -> usize {
    let texts = stream.as_str().len() + snapshot.commit_id.as_str().len() + snapshot.state.len();
    ENTRY_BYTES + texts
}

#[async_trait]
impl Snapshots for MemorySnapshots {
    async fn load(&self, stream: &StreamId) -> Result<Option<Snapshot>, SnapshotError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(kept.snapshots.get(stream).cloned())
    }

    async fn save(&self, stream: &StreamId, snapshot: Snapshot) -> Result<(), SnapshotError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.put(stream, snapshot, self.max_bytes);
        Ok(())
    }
}

impl fmt::Debug for MemorySnapshots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySnapshots")
            .field("max_bytes", &self.max_bytes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(changeset: u64, bytes: usize) -> Snapshot {
        Snapshot {
            version: 1,
            changeset,
            commit_id: "c".parse().unwrap(),
            timestamp: ees_core::Timestamp::from_micros(0).unwrap(),
            state: "x".repeat(bytes),
        }
    }

    fn stream(number: u64) -> StreamId {
        format!("s{number}").parse().unwrap()
    }

    #[tokio::test]
    async fn the_bytes_are_bounded_and_the_least_used_goes_first() {
        let snapshots = MemorySnapshots::new(4 * (ENTRY_BYTES + 103));
        for number in 0..4 {
            let taken = snapshot(number, 100);
            snapshots.save(&stream(number), taken).await.unwrap();
        }
        assert!(snapshots.load(&stream(0)).await.unwrap().is_some());
        snapshots.save(&stream(4), snapshot(4, 100)).await.unwrap();
        let mut kept = Vec::new();
        for number in 0..5 {
            kept.push(snapshots.load(&stream(number)).await.unwrap().is_some());
        }
        assert_eq!(kept, [true, false, true, true, true]);
    }

    #[tokio::test]
    async fn a_snapshot_replaces_the_former_one() {
        let snapshots = MemorySnapshots::new(4 * (ENTRY_BYTES + 103));
        for changeset in 1..100 {
            let taken = snapshot(changeset, 100);
            snapshots.save(&stream(1), taken).await.unwrap();
        }
        let found = snapshots.load(&stream(1)).await.unwrap().unwrap();
        assert_eq!(found.changeset, 99);
        assert_eq!(snapshots.kept.lock().unwrap().bytes, ENTRY_BYTES + 103);
    }

    #[tokio::test]
    async fn what_is_larger_than_everything_is_not_kept() {
        let snapshots = MemorySnapshots::new(1000);
        snapshots.save(&stream(1), snapshot(1, 5000)).await.unwrap();
        assert_eq!(snapshots.load(&stream(1)).await.unwrap(), None);
    }
}
