//! Stores of a chosen size, made by an import.

use std::path::Path;

use ees_core::adapter::{Import, Storage, StoredChangeset};
use ees_core::{Changeset, Checkpoint, GlobalPage};
use ees_sqlite::{SqliteConfig, SqliteStorage};

use crate::load;

/// The id of a commit without an idempotency key.
const COMMIT_ID: &str = "ees-00000000-0000-0000-0000-000000000000";

/// Creates a file with this number of changesets.
pub async fn fill_file(path: &Path, changesets: u64, changeset: impl Fn(u64) -> Changeset) {
    let storage = SqliteStorage::open(&SqliteConfig::new(path)).await.unwrap();
    fill(&storage, changesets, changeset).await;
    storage.close().await;
}

/// Imports this number of changesets into an empty store.
pub async fn fill(storage: &impl Import, changesets: u64, changeset: impl Fn(u64) -> Changeset) {
    let mut from = Checkpoint::FIRST;
    while from.get() < changesets {
        let end = (from.get() + 1000).min(changesets);
        let page = GlobalPage {
            changesets: (from.get()..end).map(&changeset).collect(),
            next: Checkpoint::FIRST.plus(end),
        };
        storage.import(from, &page).await.unwrap();
        from = page.next;
    }
}

/// A changeset of three events, whose stream has `before` such changesets already.
pub fn changeset(checkpoint: u64, stream: u64, before: u64, events: &str) -> Changeset {
    let number = |number: u64| i64::try_from(number).unwrap();
    let stored = StoredChangeset {
        stream_id: &format!("order-{stream}"),
        changeset_id: number(before + 1),
        first_event_id: number(before * 3 + 1),
        last_event_id: number(before * 3 + 3),
        timestamp_micros: number(1_700_000_000_000_000 + checkpoint * 1_000_000),
        commit_id: COMMIT_ID,
        set: None,
        metadata: &load::metadata(1),
        events,
        checkpoint: Some(number(checkpoint)),
    };
    stored.try_into().unwrap()
}
