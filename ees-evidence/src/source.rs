//! What a verification reads: a store, or the answers of its server.

use std::ops::RangeInclusive;

use async_trait::async_trait;
use ees_core::adapter::TileId;
use ees_core::{
    Changeset, Checkpoint, Error, EventStore, GlobalPage, PageLimit, Statistics, StorageError,
    StoreId, StreamId, StreamQuery,
};

use crate::edge::TILE_WIDTH;
use crate::error::LogError;
use crate::hash::Hash;
use crate::head::{LogHead, Parent, SignedNote};
use crate::log::Log;

/// A store as a verification reads it. [`EventStore`] is one.
///
/// That data is damaged is a [`StorageError::Corrupt`] or [`StorageError::Backend`]: the verification
/// then finds out which position it is, and goes on behind it. Any other error ends it.
#[async_trait]
pub trait Source: Send + Sync + 'static {
    /// The id of the store.
    ///
    /// # Errors
    /// [`LogError`] if the store cannot be read.
    async fn store_id(&self) -> Result<StoreId, LogError>;

    /// The log, as far as it is sealed; `None` if nothing is, or the store keeps no log.
    ///
    /// # Errors
    /// [`LogError`] if the store cannot be read, or the stored head is damaged.
    async fn sealed(&self) -> Result<Option<SealedLog>, LogError>;

    /// The first `width` hashes of a tile, one after another; `None` if they are not there. They are
    /// below the size that [`Source::sealed`] told.
    ///
    /// # Errors
    /// [`LogError`] if the store cannot be read.
    async fn tile(&self, tile: TileId, width: usize) -> Result<Option<Vec<u8>>, LogError>;

    /// The proof that the log of one size is a beginning of the log of another one (RFC 6962, section
    /// 2.1.2); `None` if the tiles are compared that it is made of.
    ///
    /// # Errors
    /// [`LogError`] if the store cannot be read.
    async fn consistency(&self, from: u64, to: u64) -> Result<Option<Vec<Hash>>, LogError> {
        let _ = (from, to);
        Ok(None)
    }

    /// The statistics.
    ///
    /// # Errors
    /// [`LogError`] if the store cannot be read.
    async fn statistics(&self) -> Result<Statistics, LogError>;

    /// The end of the global order.
    ///
    /// # Errors
    /// [`LogError`] if the store cannot be read.
    async fn next_checkpoint(&self) -> Result<Checkpoint, LogError>;

    /// A page of the global order, without a filter.
    ///
    /// # Errors
    /// [`LogError`] if the store cannot be read, or its data is damaged.
    async fn page(&self, from: Checkpoint, limit: PageLimit) -> Result<GlobalPage, LogError>;

    /// The changesets of a stream with these ids, which are two at most; empty if there are none.
    ///
    /// # Errors
    /// [`LogError`] if the store cannot be read, or its data is damaged.
    async fn of_stream(
        &self,
        stream: &StreamId,
        ids: RangeInclusive<u64>,
    ) -> Result<Vec<Changeset>, LogError>;
}

/// How far a log is sealed, and who says so.
#[derive(Debug, Clone, PartialEq)]
pub struct SealedLog {
    /// The number of leaves.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
    /// The signed heads, by size.
    pub signed: Vec<SignedNote>,
    /// The log that this one goes on from.
    pub parent: Option<Parent>,
}

impl From<LogHead> for SealedLog {
    fn from(head: LogHead) -> Self {
        Self {
            size: head.size,
            root: head.root,
            signed: head.signed,
            parent: head.parent,
        }
    }
}

#[async_trait]
impl Source for EventStore {
    async fn store_id(&self) -> Result<StoreId, LogError> {
        Ok(self.identity().await?.id)
    }

    async fn sealed(&self) -> Result<Option<SealedLog>, LogError> {
        match Log::of(self) {
            Some(log) => Ok(log.head().await?.map(SealedLog::from)),
            None => Ok(None),
        }
    }

    async fn tile(&self, tile: TileId, width: usize) -> Result<Option<Vec<u8>>, LogError> {
        match (self.log_store(), Log::of(self)) {
            (Some(store), _) if width == TILE_WIDTH => Ok(store.load_tile(tile).await?),
            (_, Some(log)) => log.tile(tile, width).await,
            (_, None) => Ok(None),
        }
    }

    async fn statistics(&self) -> Result<Statistics, LogError> {
        Ok(EventStore::statistics(self).await?)
    }

    async fn next_checkpoint(&self) -> Result<Checkpoint, LogError> {
        Ok(EventStore::next_checkpoint(self).await?)
    }

    async fn page(&self, from: Checkpoint, limit: PageLimit) -> Result<GlobalPage, LogError> {
        Ok(self.poll_changesets(from, limit).await?)
    }

    async fn of_stream(
        &self,
        stream: &StreamId,
        ids: RangeInclusive<u64>,
    ) -> Result<Vec<Changeset>, LogError> {
        let query = StreamQuery::all(stream.clone()).changesets(ids).limit(2);
        match self.changesets(&query).await {
            Ok(page) => Ok(page.items),
            Err(Error::StreamNotFound { .. }) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }
}

/// What an error says of stored data that is damaged; any other error is left as it is.
pub(crate) fn damage(error: LogError) -> Result<StorageError, LogError> {
    match error {
        LogError::Store(Error::Storage(
            error @ (StorageError::Corrupt(_) | StorageError::Backend(_)),
        )) => Ok(error),
        error => Err(error),
    }
}
