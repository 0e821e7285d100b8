//! Writes the markers of clients' keys for changesets that were written without.

use ees_core::adapter::ClientKey;
use ees_core::{ChangesetId, StorageError};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::Admin;
use crate::client_keys::Remarked;
use crate::items::{self, Item, Malformed};

use super::{AdminError, Watcher};

/// How many markers are written at once.
const AT_ONCE: usize = 32;

/// What a rebuild of the keys found and wrote.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RebuiltKeys {
    /// The number of valid changesets.
    pub changesets: u64,
    /// The number of changesets with a client's key.
    pub with_key: u64,
    /// The number of markers that were written or corrected.
    pub written: u64,
    /// The number of changesets whose key an earlier changeset of their stream has. The first one
    /// counts.
    pub repeated: u64,
    /// The number of items that are not changesets. [`Admin::rebuild_index`] says why.
    pub unreadable: u64,
}

impl Admin {
    /// Writes the marker of each client's key, by a consistent scan of the events table. The store
    /// may be used meanwhile. Run it once after all servers were upgraded from a version without
    /// markers. It may be repeated at any time.
    ///
    /// # Errors
    /// [`AdminError`] if a table is not as required, or DynamoDB fails.
    pub async fn rebuild_keys(&self) -> Result<RebuiltKeys, AdminError> {
        self.tables.check_both().await?;
        let (mut rebuilt, mut start) = (RebuiltKeys::default(), None);
        loop {
            let (items, next) = self
                .tables
                .scan_page(self.tables.scan_keys(), start)
                .await?;
            let items = items.iter().filter(|item| !items::is_reserved(item));
            self.rebuild_page(items, &mut rebuilt).await?;
            if let Some(Watcher(tell)) = &self.watcher {
                tell(rebuilt.changesets);
            }
            if next.is_none() {
                return Ok(rebuilt);
            }
            start = next;
        }
    }

    async fn rebuild_page<'a>(
        &self,
        items: impl Iterator<Item = &'a Item>,
        rebuilt: &mut RebuiltKeys,
    ) -> Result<(), StorageError> {
        let mut keys = Vec::new();
        for item in items {
            match key_of(item) {
                Ok(found) => {
                    rebuilt.changesets += 1;
                    keys.extend(found);
                }
                Err(_) => rebuilt.unreadable += 1,
            }
        }
        let marks = keys.iter().map(|(key, id)| self.tables.remark(key, *id));
        let mut marks = stream::iter(marks).buffer_unordered(AT_ONCE);
        while let Some(done) = marks.try_next().await? {
            rebuilt.with_key += 1;
            match done {
                Remarked::Stood => {}
                Remarked::Written => rebuilt.written += 1,
                Remarked::Repeated => rebuilt.repeated += 1,
            }
        }
        Ok(())
    }
}

/// The client's key of a changeset, if it has one, and the changeset's id.
fn key_of(item: &Item) -> Result<Option<(ClientKey, ChangesetId)>, Malformed> {
    let key = items::key_of(item)?;
    let commit_id = items::commit_id(item)?;
    if !commit_id.is_clients() {
        return Ok(None);
    }
    let client_key = ClientKey {
        stream_id: key.stream_id,
        commit_id,
    };
    Ok(Some((client_key, key.changeset_id)))
}
