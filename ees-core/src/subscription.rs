//! Catch-up subscriptions.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt};

use crate::ports::CheckpointStore;
use crate::{Changeset, Checkpoint, Error, EventStore, PageLimit, StorageError};

/// The number of changesets read at once.
const PAGE_ITEMS: usize = 1000;

/// The time that one read waits at the end of the order.
const WAIT: Duration = Duration::from_secs(20);

/// Follows the global order from a checkpoint on: reads the existing changesets, then waits for
/// more.
///
/// It never ends, skips nothing and repeats nothing (G6). Over a store with a
/// [filter](EventStore::with_filter) it returns what the filter selects (G15). Save [`Subscription::checkpoint`] after a
/// changeset was handled, and begin there after a restart. Changesets after the saved checkpoint
/// are delivered again.
///
/// ```
/// # use std::sync::Arc;
/// # use ees_core::{
/// #     CheckpointStore, EventStore, Events, Expectation, NewChangeset, Subscription,
/// # };
/// # use ees_memory::MemoryStorage;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let storage = Arc::new(MemoryStorage::new());
/// # let store = EventStore::new(Arc::clone(&storage));
/// # let events = Events::parse("[1]")?;
/// # store.commit(NewChangeset::new("s".parse()?, Expectation::NEW_STREAM, events)).await?;
/// let mut subscription = Subscription::resume(&store, storage.as_ref(), "totals").await?;
/// let changeset = subscription.next().await?;
/// // ... handle it, and then:
/// storage.save_checkpoint("totals", subscription.checkpoint()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Subscription {
    store: EventStore,
    read_ahead: VecDeque<Changeset>,
    read_next: Checkpoint,
    checkpoint: Checkpoint,
    pause: Option<Duration>,
}

impl Subscription {
    /// Follows the order from a checkpoint.
    pub fn new(store: &EventStore, from: Checkpoint) -> Self {
        Self {
            store: store.clone(),
            read_ahead: VecDeque::new(),
            read_next: from,
            checkpoint: from,
            pause: None,
        }
    }

    /// Follows the order from the checkpoint saved under a name, or from the beginning.
    ///
    /// # Errors
    /// [`Error::Storage`] if the checkpoint cannot be loaded.
    pub async fn resume(
        store: &EventStore,
        checkpoints: &dyn CheckpointStore,
        name: &str,
    ) -> Result<Self, Error> {
        let saved = checkpoints.load_checkpoint(name).await?;
        Ok(Self::new(store, saved.unwrap_or(Checkpoint::FIRST)))
    }

    /// The checkpoint after the changeset that [`Subscription::next`] returned last, and after what a
    /// filter passed since.
    pub fn checkpoint(&self) -> Checkpoint {
        self.checkpoint
    }

    /// The next changeset. At the end of the order the call waits for one. A dropped call loses
    /// nothing.
    ///
    /// # Errors
    /// [`Error::CheckpointBeyondHead`] if the checkpoint is not one of this order, as after a
    /// restore from an older copy. [`Error::Storage`] if the storage fails. The next call tries the same position again, after the pause
    /// that the storage requested.
    pub async fn next(&mut self) -> Result<Changeset, Error> {
        if let Some(pause) = self.pause {
            self.store.clock().sleep(pause).await;
            self.pause = None;
        }
        loop {
            if let Some(changeset) = self.next_read() {
                return Ok(changeset);
            }
            self.checkpoint = self.read_next;
            self.read_more().await?;
        }
    }

    /// The next changeset, if it was read with the same page. Never waits; use it to handle a page at
    /// once.
    pub fn next_read(&mut self) -> Option<Changeset> {
        let changeset = self.read_ahead.pop_front()?;
        let read = changeset.checkpoint.unwrap_or(self.checkpoint);
        self.checkpoint = if self.read_ahead.is_empty() {
            self.read_next
        } else {
            read.plus(1)
        };
        Some(changeset)
    }

    /// The changesets as a `Stream` that never ends. An error does not end it: the item after it is
    /// the result of the next try.
    pub fn into_stream(self) -> BoxStream<'static, Result<Changeset, Error>> {
        let next =
            |mut subscription: Self| async move { Some((subscription.next().await, subscription)) };
        stream::unfold(self, next).boxed()
    }

    async fn read_more(&mut self) -> Result<(), Error> {
        let limit = PageLimit::items(PAGE_ITEMS);
        match self
            .store
            .await_changesets(self.read_next, limit, WAIT)
            .await
        {
            Ok(page) => {
                self.read_next = page.next;
                self.read_ahead = page.changesets.into();
                Ok(())
            }
            Err(error) => {
                self.pause = Some(error.retry_after().unwrap_or(StorageError::RETRY_AFTER));
                Err(error)
            }
        }
    }
}
