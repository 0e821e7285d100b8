//! Storages that change what they keep, or mistake one name for another.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use ees_conformance::Adapter;
use ees_conformance::faults::Fault;
use ees_core::adapter::{Commit, Outcome, trusted_json};
use ees_core::{Changeset, Checkpoint, CommitId, Page, StorageError, StreamQuery, Timestamp};

use super::reads::changed;

/// Keeps times to the millisecond.
#[derive(Default)]
pub(super) struct CutsTimes;

#[async_trait]
impl Fault for CutsTimes {
    async fn read_stream(
        &self,
        inner: &dyn Adapter,
        query: &StreamQuery,
    ) -> Result<Page<Changeset>, StorageError> {
        changed(inner, query, |changeset| {
            let micros = changeset.timestamp.as_micros() / 1000 * 1000;
            changeset.timestamp = Timestamp::from_micros(micros).unwrap_or(changeset.timestamp);
        })
        .await
    }
}

/// Parses metadata and writes it anew.
#[derive(Default)]
pub(super) struct ParsesMetadata;

#[async_trait]
impl Fault for ParsesMetadata {
    async fn read_stream(
        &self,
        inner: &dyn Adapter,
        query: &StreamQuery,
    ) -> Result<Page<Changeset>, StorageError> {
        changed(inner, query, |changeset| {
            let parsed = serde_json::from_str::<serde_json::Value>(changeset.metadata.as_str());
            if let Ok(value) = parsed {
                changeset.metadata = trusted_json(value.to_string());
            }
        })
        .await
    }
}

/// Takes commit ids for the same that differ in case only, as by a collation.
#[derive(Default)]
pub(super) struct FoldsCommitIds;

#[async_trait]
impl Fault for FoldsCommitIds {
    async fn read_stream(
        &self,
        inner: &dyn Adapter,
        query: &StreamQuery,
    ) -> Result<Page<Changeset>, StorageError> {
        commit_ids(inner, query, str::to_lowercase).await
    }
}

/// Keeps 254 characters of a commit id.
#[derive(Default)]
pub(super) struct CutsCommitIds;

#[async_trait]
impl Fault for CutsCommitIds {
    async fn read_stream(
        &self,
        inner: &dyn Adapter,
        query: &StreamQuery,
    ) -> Result<Page<Changeset>, StorageError> {
        commit_ids(inner, query, |id| id.chars().take(254).collect()).await
    }
}

async fn commit_ids(
    inner: &dyn Adapter,
    query: &StreamQuery,
    change: impl Fn(&str) -> String,
) -> Result<Page<Changeset>, StorageError> {
    changed(inner, query, |changeset| {
        let id = CommitId::new(&change(changeset.commit_id.as_str()));
        changeset.commit_id = id.unwrap_or_else(|_| CommitId::generate());
    })
    .await
}

/// Remembers commit ids a moment after the write.
#[derive(Default)]
pub(super) struct RemembersKeysLate(Mutex<HashSet<CommitId>>);

#[async_trait]
impl Fault for RemembersKeysLate {
    async fn commit(&self, inner: &dyn Adapter, commit: &Commit) -> Result<Outcome, StorageError> {
        let outcome = inner.commit(commit).await?;
        tokio::task::yield_now().await;
        if matches!(outcome, Outcome::Committed(_)) {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(commit.commit_id.clone());
        }
        Ok(outcome)
    }

    async fn read_stream(
        &self,
        inner: &dyn Adapter,
        query: &StreamQuery,
    ) -> Result<Page<Changeset>, StorageError> {
        let known = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        changed(inner, query, |changeset| {
            if !known.contains(&changeset.commit_id) {
                changeset.commit_id = CommitId::generate();
            }
        })
        .await
    }
}

/// Never lowers a checkpoint.
#[derive(Default)]
pub(super) struct NeverGoesBack;

#[async_trait]
impl Fault for NeverGoesBack {
    async fn save_checkpoint(
        &self,
        inner: &dyn Adapter,
        subscription: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StorageError> {
        let saved = inner.load_checkpoint(subscription).await?;
        let checkpoint = saved.map_or(checkpoint, |saved| saved.max(checkpoint));
        inner.save_checkpoint(subscription, checkpoint).await
    }
}

/// Keeps the checkpoint of a subscription under a name of 254 bytes, in lower case.
#[derive(Default)]
pub(super) struct FoldsNames;

fn folded(name: &str) -> String {
    let name = name.to_lowercase();
    name.chars().take(254).collect()
}

#[async_trait]
impl Fault for FoldsNames {
    async fn load_checkpoint(
        &self,
        inner: &dyn Adapter,
        subscription: &str,
    ) -> Result<Option<Checkpoint>, StorageError> {
        inner.load_checkpoint(&folded(subscription)).await
    }

    async fn save_checkpoint(
        &self,
        inner: &dyn Adapter,
        subscription: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StorageError> {
        inner
            .save_checkpoint(&folded(subscription), checkpoint)
            .await
    }
}
