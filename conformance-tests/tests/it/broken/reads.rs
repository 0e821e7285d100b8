//! Storages that do not tell of a stream what is there.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use ees_conformance::Adapter;
use ees_conformance::faults::Fault;
use ees_core::adapter::{Commit, Outcome, Storage, trusted_events};
use ees_core::{
    Changeset, CommitId, Expectation, Head, Json, Page, StorageError, StreamId, StreamQuery,
    Timestamp,
};
use ees_memory::MemoryStorage;

/// Tells the losers of a race of something else than what won.
#[derive(Default)]
pub(super) struct TellsOfAnother;

#[async_trait]
impl Fault for TellsOfAnother {
    async fn read_stream(
        &self,
        inner: &dyn Adapter,
        query: &StreamQuery,
    ) -> Result<Page<Changeset>, StorageError> {
        let mut page = inner.read_stream(query).await?;
        // Only what follows an expectation is read so.
        if !query.range_is_all() {
            for changeset in &mut page.items {
                changeset.events = trusted_events("[\"another\"]", changeset.events.count());
            }
        }
        Ok(page)
    }
}

trait Range {
    fn range_is_all(&self) -> bool;
}

impl Range for StreamQuery {
    fn range_is_all(&self) -> bool {
        *self == StreamQuery::all(self.stream_id.clone())
    }
}

/// Changes the changesets that a stream's readers get.
pub(super) async fn changed(
    inner: &dyn Adapter,
    query: &StreamQuery,
    change: impl FnMut(&mut Changeset),
) -> Result<Page<Changeset>, StorageError> {
    let mut page = inner.read_stream(query).await?;
    page.items.iter_mut().for_each(change);
    Ok(page)
}

/// Shows the first events of the newest changeset only, once in a while.
#[derive(Default)]
pub(super) struct TearsChangesets(AtomicU64);

#[async_trait]
impl Fault for TearsChangesets {
    async fn read_stream(
        &self,
        inner: &dyn Adapter,
        query: &StreamQuery,
    ) -> Result<Page<Changeset>, StorageError> {
        let torn = self.0.fetch_add(1, Ordering::SeqCst) % 3 == 1;
        changed(inner, query, |changeset| {
            if torn {
                changeset.events = trusted_events("[1]", 1);
            }
        })
        .await
    }
}

/// Tells the head as it was one changeset ago.
#[derive(Default)]
pub(super) struct StaleHead;

#[async_trait]
impl Fault for StaleHead {
    async fn head(
        &self,
        inner: &dyn Adapter,
        stream_id: &StreamId,
    ) -> Result<Option<Head>, StorageError> {
        let head = inner.head(stream_id).await?;
        Ok(head.filter(|head| head.last_changeset.get() > 1))
    }
}

/// Ends a page without saying that more remains.
#[derive(Default)]
pub(super) struct CutsStreams;

#[async_trait]
impl Fault for CutsStreams {
    async fn read_stream(
        &self,
        inner: &dyn Adapter,
        query: &StreamQuery,
    ) -> Result<Page<Changeset>, StorageError> {
        let mut page = inner.read_stream(query).await?;
        page.more = false;
        Ok(page)
    }
}

/// Does not know by what commit a changeset was written.
#[derive(Default)]
pub(super) struct ForgetsKeys;

#[async_trait]
impl Fault for ForgetsKeys {
    async fn read_stream(
        &self,
        inner: &dyn Adapter,
        query: &StreamQuery,
    ) -> Result<Page<Changeset>, StorageError> {
        changed(inner, query, |changeset| {
            changeset.commit_id = CommitId::generate();
        })
        .await
    }
}

/// Says that what stands there was written by the one who asks.
#[derive(Default)]
pub(super) struct TakesEveryKeyForTheSame(Mutex<Option<CommitId>>);

#[async_trait]
impl Fault for TakesEveryKeyForTheSame {
    async fn commit(&self, inner: &dyn Adapter, commit: &Commit) -> Result<Outcome, StorageError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(commit.commit_id.clone());
        inner.commit(commit).await
    }

    async fn read_stream(
        &self,
        inner: &dyn Adapter,
        query: &StreamQuery,
    ) -> Result<Page<Changeset>, StorageError> {
        let asking = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        changed(inner, query, |changeset| {
            changeset.commit_id = asking.clone().unwrap_or_else(CommitId::generate);
        })
        .await
    }
}

/// Parses events and writes them anew, as who stores them in columns of a JSON type would.
#[derive(Default)]
pub(super) struct ParsesJson;

#[async_trait]
impl Fault for ParsesJson {
    async fn read_stream(
        &self,
        inner: &dyn Adapter,
        query: &StreamQuery,
    ) -> Result<Page<Changeset>, StorageError> {
        changed(inner, query, |changeset| {
            let events = changeset.events.iter().map(|event| {
                let parsed = serde_json::from_str::<serde_json::Value>(event);
                parsed.map_or(event.to_owned(), |value| value.to_string())
            });
            let array = format!("[{}]", events.collect::<Vec<_>>().join(","));
            changeset.events = trusted_events(array, changeset.events.count());
        })
        .await
    }
}

/// Takes `null` for nothing.
#[derive(Default)]
pub(super) struct DropsNullMetadata;

#[async_trait]
impl Fault for DropsNullMetadata {
    async fn read_stream(
        &self,
        inner: &dyn Adapter,
        query: &StreamQuery,
    ) -> Result<Page<Changeset>, StorageError> {
        changed(inner, query, |changeset| {
            if changeset.metadata.as_str() == "null" {
                changeset.metadata = Json::default();
            }
        })
        .await
    }
}

/// Says, of every stream, that it is there.
#[derive(Default)]
pub(super) struct KeepsEverything;

#[async_trait]
impl Fault for KeepsEverything {
    async fn head(
        &self,
        _: &dyn Adapter,
        stream_id: &StreamId,
    ) -> Result<Option<Head>, StorageError> {
        let other = MemoryStorage::new();
        let commit = Commit {
            stream_id: stream_id.clone(),
            expectation: Expectation::NEW_STREAM,
            events: trusted_events("[1]", 1),
            metadata: Json::default(),
            commit_id: CommitId::generate(),
            set: None,
            timestamp: Timestamp::now(),
        };
        other.commit(&commit).await?;
        other.head(stream_id).await
    }
}
