//! The storage port on two tables.

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use aws_config::SdkConfig;
use ees_core::adapter::{Commit, CommitSet, News, Outcome, PageBuilder, SetOutcome, Storage};
use ees_core::indexer::read_global;
use ees_core::{
    Changeset, Checkpoint, Direction, GlobalPage, Head, Identity, MAX_ID, Page, PageLimit,
    StorageError, StreamId, StreamQuery, StreamRange, Written,
};
use futures_util::future::BoxFuture;
use tokio::sync::RwLockReadGuard;

use crate::cache::{FullStreams, Heads, Positions};
use crate::fetched_size::FetchedSize;
use crate::import_state::{ImportState, under_way};
use crate::items::{self, Item, number};
use crate::opening::open;
use crate::stored_state::StoredState;
use crate::tables::{Tables, page};
use crate::voids::Voids;
use crate::{DynamoConfig, OpenError};

/// A store in two DynamoDB tables. It orders after the commit: an
/// [`Indexer`](ees_core::indexer::Indexer) assigns the checkpoints of its changesets.
#[derive(Debug)]
pub struct DynamoStorage {
    pub(crate) tables: Tables,
    pub(crate) heads: Heads,
    pub(crate) full_streams: FullStreams,
    pub(crate) positions: Positions,
    voids: RwLock<Arc<Voids>>,
    pub(crate) imports: ImportState,
    pub(crate) news: News,
    pub(crate) fetched_size: FetchedSize,
    max_changeset_bytes: usize,
    stream_arn: String,
    table_id: Option<String>,
    /// Every call holds the read lock. Closing takes the write lock once.
    closed: tokio::sync::RwLock<bool>,
}

impl DynamoStorage {
    /// Checks both tables and opens the store. An empty store gets its first index state; nothing
    /// else is written.
    ///
    /// # Errors
    /// [`OpenError`] says what was found, what was expected, and how to correct it.
    pub async fn open(config: &DynamoConfig, sdk: &SdkConfig) -> Result<Self, OpenError> {
        let tables = Tables::new(config, sdk);
        let opened = open(&tables, sdk).await?;
        let imports = ImportState::default();
        if let Some(found) = &opened.state {
            imports.learn(found);
        }
        Ok(Self {
            heads: Heads::new(config.head_cache),
            full_streams: FullStreams::new(config.head_cache),
            positions: Positions::new(config.head_cache),
            tables: opened.tables,
            voids: RwLock::new(Arc::new(opened.voids)),
            imports,
            news: News::default(),
            fetched_size: FetchedSize::default(),
            max_changeset_bytes: opened.max_changeset_bytes,
            stream_arn: opened.stream_arn,
            table_id: opened.table_id,
            closed: tokio::sync::RwLock::new(false),
        })
    }

    /// The ARN of the events table's stream, which keeps the record of each commit for 24 hours.
    pub fn stream_arn(&self) -> &str {
        &self.stream_arn
    }

    /// Begins a call. Closing waits until the call ends. A call must not begin inside another one.
    pub(crate) async fn enter(&self) -> Result<RwLockReadGuard<'_, bool>, StorageError> {
        let closed = self.closed.read().await;
        if *closed {
            return Err(StorageError::closed());
        }
        Ok(closed)
    }

    /// The index state, from which it is learned whether an import is under way.
    pub(crate) async fn stored_state(&self) -> Result<StoredState, StorageError> {
        let found = self.tables.state().await?;
        self.imports.learn(&found);
        Ok(found)
    }

    /// The void positions.
    pub(crate) fn known_voids(&self) -> Arc<Voids> {
        let voids = self.voids.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&voids)
    }

    pub(crate) fn learn_voids(&self, voids: Voids) {
        *self.voids.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(voids);
    }

    /// Refuses commits where they are switched off, and while an import is under way. It reads nothing
    /// unless the last look at the index state found an import.
    async fn check_commits(&self) -> Result<(), StorageError> {
        if !self.tables.config.commits {
            let reason = "commits are switched off here (the setting `commits=off` of the storage, \
                          which the parameter `Commits` of a stack on AWS makes)";
            return Err(StorageError::unavailable(reason, Written::None));
        }
        if self.imports.bound().is_some() && self.stored_state().await?.importing {
            return Err(under_way("accepts no commits"));
        }
        Ok(())
    }

    /// Reads a range of changesets with one request after another, until the page is full. It
    /// requests one changeset more than fit, to learn whether more remain.
    async fn read(
        &self,
        query: &StreamQuery,
        (first, last): (u64, u64),
    ) -> Result<Page<Changeset>, StorageError> {
        let ask = self
            .tables
            .stream(&query.stream_id)
            .key_condition_expression("stream_id = :stream AND changeset_id BETWEEN :from AND :to")
            .expression_attribute_values(":from", number(first))
            .expression_attribute_values(":to", number(last))
            .scan_index_forward(query.direction == Direction::Forward);
        let by_event = matches!(query.range, StreamRange::Events(_));
        let mut builder = PageBuilder::new(query.limit);
        let mut start = None;
        loop {
            let room = builder.room().min(query.limit.max_items());
            let room = i32::try_from(room).unwrap_or(i32::MAX).saturating_add(1);
            let (items, next) = page(ask.clone().limit(room), start).await?;
            // A changeset without events contains no event of a range.
            let wanted = items
                .iter()
                .filter(|item| !by_event || !items::is_empty(item));
            for item in wanted {
                if builder.is_full() {
                    builder.more_remains();
                    return Ok(builder.finish());
                }
                if !builder.push_changeset(items::positioned(item, self.tables.layout.index_page)?)
                {
                    return Ok(builder.finish());
                }
            }
            if next.is_none() {
                self.learn_end(query, last, items.last());
                return Ok(builder.finish());
            }
            start = next;
        }
    }

    /// Caches the head after a read up to the end of the stream, since the reader is likely to
    /// commit next. The head may be a changeset without events, which no range of events selects.
    fn learn_end(&self, query: &StreamQuery, last: u64, end: Option<&Item>) {
        let to_the_end = query.direction == Direction::Forward && last == MAX_ID;
        if let Some(Ok(end)) = end.filter(|_| to_the_end).map(items::changeset) {
            self.heads.learn(&query.stream_id, end.head());
        }
    }
}

#[async_trait]
impl Storage for DynamoStorage {
    async fn commit(&self, commit: &Commit) -> Result<Outcome, StorageError> {
        let _open = self.enter().await?;
        self.check_commits().await?;
        self.append(commit).await
    }

    async fn commit_set(&self, set: &CommitSet) -> Result<SetOutcome, StorageError> {
        let _open = self.enter().await?;
        self.check_commits().await?;
        self.append_set(set).await
    }

    async fn head(&self, stream_id: &StreamId) -> Result<Option<Head>, StorageError> {
        let _open = self.enter().await?;
        let head = self.tables.head(stream_id).await?;
        if let Some(head) = head {
            self.heads.learn(stream_id, head);
        }
        Ok(head)
    }

    async fn read_stream(&self, query: &StreamQuery) -> Result<Page<Changeset>, StorageError> {
        let _open = self.enter().await?;
        let selected = self.changesets_of(&query.stream_id, &query.range).await?;
        let Some(selected) = selected else {
            return Ok(PageBuilder::new(query.limit).finish());
        };
        self.read(query, selected).await
    }

    async fn read_global(
        &self,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        read_global(self, from, limit).await
    }

    async fn next_checkpoint(&self) -> Result<Checkpoint, StorageError> {
        let _open = self.enter().await?;
        Ok(self.stored_state().await?.state.next())
    }

    async fn load_identity(&self) -> Result<Option<Identity>, StorageError> {
        let _open = self.enter().await?;
        self.tables.identity().await
    }

    async fn swap_identity(
        &self,
        previous: Option<&Identity>,
        next: &Identity,
    ) -> Result<bool, StorageError> {
        let _open = self.enter().await?;
        self.tables.swap_identity(previous, next).await
    }

    fn identity_place(&self) -> Option<String> {
        self.table_id.clone()
    }

    fn news(&self) -> BoxFuture<'static, ()> {
        self.news.listen()
    }

    fn max_changeset_bytes(&self) -> usize {
        self.max_changeset_bytes
    }

    async fn close(&self) {
        *self.closed.write().await = true;
    }
}
