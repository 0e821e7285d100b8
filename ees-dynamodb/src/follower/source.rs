//! The ports that an indexer of this store needs.

use std::sync::Arc;

use async_trait::async_trait;
use aws_config::SdkConfig;
use ees_core::StorageError;
use ees_core::adapter::{CommitFeed, CommitFeedSource, DeferredOrder};

use super::Follower;
use crate::DynamoStorage;

/// Opens [`Follower`]s of a store.
struct Followers {
    storage: Arc<DynamoStorage>,
    sdk: SdkConfig,
}

#[async_trait]
impl CommitFeedSource for Followers {
    async fn open(&self) -> Result<Box<dyn CommitFeed>, StorageError> {
        let opened = Follower::open(Arc::clone(&self.storage), &self.sdk).await;
        Ok(Box::new(opened?))
    }
}

impl DynamoStorage {
    /// The ports that an indexer of this store needs: the index, and [`Follower`]s of the events
    /// table's stream. `ees_workers::Indexing` runs the indexer over them.
    pub fn deferred_order(self: &Arc<Self>, sdk: &SdkConfig) -> DeferredOrder {
        DeferredOrder {
            index: Arc::clone(self) as _,
            feeds: Arc::new(Followers {
                storage: Arc::clone(self),
                sdk: sdk.clone(),
            }),
        }
    }
}
