//! The port for changesets.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use ees_core::adapter::group_commit::{BatchLimit, GroupCommit};
use ees_core::adapter::{Commit, CommitSet, News, Outcome, PageBuilder, SetOutcome, Storage};
use ees_core::{
    Changeset, Checkpoint, Direction, GlobalPage, Head, Identity, Page, PageLimit, StorageError,
    StreamId, StreamQuery, StreamRange,
};
use fjall::{Guard, Readable, Snapshot};
use futures_util::future::BoxFuture;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::database::{Handle, Store};
use crate::error::translate;
use crate::opening::{self, OpenError};
use crate::writer::{self, Writer};
use crate::{keys, rows};

/// Changesets, statistics and checkpoints in a folder of fjall.
pub struct FjallStorage {
    pub(crate) handle: Handle,
    commits: GroupCommit,
    news: Arc<News>,
    writer: Mutex<Option<JoinHandle<()>>>,
    max_changeset_bytes: usize,
}

impl std::fmt::Debug for FjallStorage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FjallStorage").finish_non_exhaustive()
    }
}

impl FjallStorage {
    /// Opens the store in this folder, and creates it if the folder is missing or empty.
    ///
    /// # Errors
    ///
    /// Fails if another process has the folder open, if it belongs to something else or to a newer
    /// version, and if it cannot be read or written.
    pub async fn open(
        folder: impl AsRef<Path>,
        max_changeset_bytes: usize,
    ) -> Result<Self, OpenError> {
        let folder = folder.as_ref().to_owned();
        let opened = tokio::task::spawn_blocking(move || opening::open(&folder)).await;
        let handle = Handle::new(opened.map_err(std::io::Error::from)??);
        let news = Arc::new(News::default());
        let writer = Writer {
            handle: handle.clone(),
            news: Arc::clone(&news),
        };
        let (commits, run) = GroupCommit::new(writer, BatchLimit::default());
        let writer = tokio::spawn(async move {
            run.await;
        });
        Ok(Self {
            handle,
            commits,
            news,
            writer: Mutex::new(Some(writer)),
            max_changeset_bytes,
        })
    }
}

#[async_trait]
impl Storage for FjallStorage {
    async fn commit(&self, commit: &Commit) -> Result<Outcome, StorageError> {
        self.commits.commit(commit).await
    }

    async fn commit_set(&self, set: &CommitSet) -> Result<SetOutcome, StorageError> {
        self.commits.commit_set(set).await
    }

    async fn head(&self, stream_id: &StreamId) -> Result<Option<Head>, StorageError> {
        let stream = stream_id.clone();
        let step =
            move |store: &Store| writer::head(store, &store.database.snapshot(), stream.as_str());
        self.handle.run(step).await
    }

    async fn read_stream(&self, query: &StreamQuery) -> Result<Page<Changeset>, StorageError> {
        let query = query.clone();
        self.handle
            .run(move |store| read_stream(store, &query))
            .await
    }

    async fn read_global(
        &self,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        self.handle
            .run(move |store| read_global(store, from, limit))
            .await
    }

    async fn next_checkpoint(&self) -> Result<Checkpoint, StorageError> {
        self.handle
            .run(|store| store.next_checkpoint(&store.database.snapshot()))
            .await
    }

    async fn load_identity(&self) -> Result<Option<Identity>, StorageError> {
        self.stored_identity().await
    }

    async fn swap_identity(
        &self,
        previous: Option<&Identity>,
        next: &Identity,
    ) -> Result<bool, StorageError> {
        let previous = previous.map(Identity::to_text);
        self.store_identity(previous, next.to_text()).await
    }

    fn news(&self) -> BoxFuture<'static, ()> {
        self.news.listen()
    }

    fn max_changeset_bytes(&self) -> usize {
        self.max_changeset_bytes
    }

    async fn close(&self) {
        self.commits.close();
        if let Some(writer) = self.writer.lock().await.take() {
            // A writer that panicked has already released everything.
            let _ = writer.await;
        }
        self.handle.close().await;
    }
}

fn read_stream(store: &Store, query: &StreamQuery) -> Result<Page<Changeset>, StorageError> {
    let at = store.database.snapshot();
    let mut page = PageBuilder::new(query.limit);
    let stream = query.stream_id.as_str();
    let (StreamRange::Changesets(ids) | StreamRange::Events(ids)) = &query.range;
    if ids.is_empty() {
        return Ok(page.finish());
    }
    let (index, to) = match &query.range {
        StreamRange::Changesets(_) => (&store.by_changeset, *ids.end()),
        StreamRange::Events(_) => (
            &store.by_event,
            last_event_within(store, &at, stream, *ids.end())?,
        ),
    };
    let mut entries = at.range(index, keys::range(stream, *ids.start(), to));
    let mut next = || match query.direction {
        Direction::Forward => entries.next(),
        Direction::Backward => entries.next_back(),
    };
    while let Some(entry) = next() {
        let (_, checkpoint) = entry.into_inner().map_err(translate)?;
        let row = store.row(&at, &checkpoint)?;
        if !page.push_changeset(rows::decode(&checkpoint, &row)?) {
            break;
        }
    }
    Ok(page.finish())
}

/// The last event id of the last changeset that contains an event up to `to`, or `to` itself.
fn last_event_within(
    store: &Store,
    at: &Snapshot,
    stream: &str,
    to: u64,
) -> Result<u64, StorageError> {
    let reaches = at
        .range(&store.by_event, keys::range(stream, to, u64::MAX))
        .next();
    let Some((key, checkpoint)) = reaches
        .map(Guard::into_inner)
        .transpose()
        .map_err(translate)?
    else {
        return Ok(to);
    };
    if rows::first_event_id(&store.row(at, &checkpoint)?)? > to {
        return Ok(to);
    }
    rows::number(&key[keys::prefix(stream).len()..])
}

fn read_global(
    store: &Store,
    from: Checkpoint,
    limit: PageLimit,
) -> Result<GlobalPage, StorageError> {
    let at = store.database.snapshot();
    let mut page = PageBuilder::new(limit);
    for entry in at.range(&store.log, from.get().to_be_bytes()..) {
        let (checkpoint, row) = entry.into_inner().map_err(translate)?;
        if !page.push_changeset(rows::decode(&checkpoint, &row)?) {
            break;
        }
    }
    GlobalPage::dense(from, page.finish().items)
}
