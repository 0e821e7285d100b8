//! The index port over the eventual storage.

use async_trait::async_trait;
use ees_core::adapter::{
    ChangesetKey, Entry, Index, IndexState, PageBuilder, PositionWrite, Storage, SweepCursor,
    SweepPage, parse_number,
};
use ees_core::{Changeset, Checkpoint, Page, PageLimit, StorageError, StreamQuery, Timestamp};

use super::storage::{EventualStorage, key_of};

/// The number of changesets that a page of a sweep examines.
const SWEEP_PAGE: usize = 3;

impl EventualStorage {
    async fn find(&self, key: &ChangesetKey) -> Result<Option<Changeset>, StorageError> {
        let id = key.changeset_id.get();
        let query = StreamQuery::all(key.stream_id.clone()).changesets(id..=id);
        Ok(self.read_stream(&query).await?.items.pop())
    }

    /// Fails like every other call once the storage is closed.
    async fn check_open(&self) -> Result<(), StorageError> {
        self.memory.next_checkpoint().await.map(drop)
    }

    /// The entries that the index shows from a position on.
    fn visible(&self, from: Checkpoint, items: usize) -> Vec<ChangesetKey> {
        let mut ordered = self.ordered();
        let entries = ordered.index.range_mut(from..);
        let seen = entries.filter_map(|(_, entry)| {
            let hides = entry.hidden > 0;
            entry.hidden = entry.hidden.saturating_sub(1);
            (!hides).then(|| entry.key.clone())
        });
        seen.take(items).collect()
    }
}

#[async_trait]
impl Index for EventualStorage {
    async fn load_state(&self) -> Result<IndexState, StorageError> {
        self.check_open().await?;
        Ok(self.ordered().state.clone())
    }

    async fn swap_state(&self, previous: u64, next: &IndexState) -> Result<bool, StorageError> {
        self.check_open().await?;
        let mut ordered = self.ordered();
        let won = ordered.state.rev == previous;
        if won {
            ordered.state = next.clone();
        }
        Ok(won)
    }

    async fn look_up(&self, keys: &[ChangesetKey]) -> Result<Vec<Entry>, StorageError> {
        let mut entries = Vec::new();
        for changeset in self.fetch(keys).await? {
            entries.push(match changeset {
                None => Entry::Missing,
                Some(changeset) => changeset.checkpoint.map_or(Entry::Unindexed, Entry::At),
            });
        }
        Ok(entries)
    }

    async fn write_position(
        &self,
        key: &ChangesetKey,
        position: Checkpoint,
    ) -> Result<PositionWrite, StorageError> {
        if self.find(key).await?.is_none() {
            return Ok(PositionWrite::Missing);
        }
        let mut ordered = self.ordered();
        Ok(match ordered.positions.get(key) {
            Some(found) if *found == position => PositionWrite::AlreadyThere,
            Some(found) => PositionWrite::Other(*found),
            None => {
                ordered.positions.insert(key.clone(), position);
                self.show(&mut ordered, key, position);
                PositionWrite::Written
            }
        })
    }

    async fn read_index(
        &self,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<Page<Changeset>, StorageError> {
        let mut page = PageBuilder::new(limit);
        // One more than fits shows whether more entries follow the page.
        for key in self.visible(from, limit.items.saturating_add(1)) {
            let Some(changeset) = self.find(&key).await? else {
                return Err(StorageError::Corrupt(format!("{key} is gone")));
            };
            if !page.push_changeset(changeset) {
                break;
            }
        }
        Ok(page.finish())
    }

    async fn fetch(&self, keys: &[ChangesetKey]) -> Result<Vec<Option<Changeset>>, StorageError> {
        let mut found = Vec::new();
        for key in keys {
            found.push(self.find(key).await?);
        }
        Ok(found)
    }

    async fn past_void(&self, position: Checkpoint) -> Result<Checkpoint, StorageError> {
        Ok(position)
    }

    async fn unindexed(&self, after: Option<&SweepCursor>) -> Result<SweepPage, StorageError> {
        let from = after.and_then(|cursor| parse_number(&cursor.0));
        let from = Checkpoint::FIRST.plus(from.unwrap_or(0));
        let scanned = self
            .memory
            .read_global(from, PageLimit::items(SWEEP_PAGE))
            .await?;
        let ordered = self.ordered();
        let found = scanned.changesets.iter();
        let found = found.map(|changeset| (key_of(changeset), changeset.timestamp));
        Ok(SweepPage {
            found: found
                .filter(|(key, _)| !ordered.positions.contains_key(key))
                .collect(),
            malformed: 0,
            next: (scanned.next > from).then(|| SweepCursor(scanned.next.to_string())),
        })
    }

    async fn last_sweep(&self) -> Result<Option<Timestamp>, StorageError> {
        self.check_open().await?;
        Ok(self.ordered().last_sweep)
    }

    async fn save_sweep(&self, begun: Timestamp) -> Result<(), StorageError> {
        self.check_open().await?;
        self.ordered().last_sweep = Some(begun);
        Ok(())
    }
}
