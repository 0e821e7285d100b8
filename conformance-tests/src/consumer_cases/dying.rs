//! A store of consumers that ends at an exact call, as a server does that is killed there.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use ees_core::adapter::{ConsumerStore, ParkedWrite, StoredPartition};
use ees_core::{StorageError, Written};

/// Where a server ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Nowhere.
    Never,
    /// Before this call, counted from 0, reaches the storage.
    Before(usize),
    /// After this call has taken effect, and before its answer arrives.
    After(usize),
}

/// A store of consumers, as a server sees it that ends somewhere. From then on every call fails.
pub(super) struct Dying {
    inner: Arc<dyn ConsumerStore>,
    end: End,
    /// Whether each call was a write.
    calls: Mutex<Vec<bool>>,
}

impl Dying {
    pub(super) fn new(inner: Arc<dyn ConsumerStore>, end: End) -> Arc<Self> {
        Arc::new(Self {
            inner,
            end,
            calls: Mutex::default(),
        })
    }

    /// Whether it has ended.
    pub(super) fn has_ended(&self) -> bool {
        let calls = self.calls().len();
        match self.end {
            End::Never => false,
            End::Before(call) | End::After(call) => calls > call,
        }
    }

    /// Every moment at which a server can end that makes the calls of this one: before each call, and
    /// after each write.
    pub(super) fn ends(&self) -> Vec<End> {
        let calls = (0..).zip(self.calls());
        let ends = calls.flat_map(|(call, is_write)| {
            let after = is_write.then_some(End::After(call));
            [End::Before(call)].into_iter().chain(after)
        });
        ends.collect()
    }

    fn calls(&self) -> Vec<bool> {
        let calls = self.calls.lock();
        calls.unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn call<T>(
        &self,
        is_write: bool,
        call: impl Future<Output = Result<T, StorageError>> + Send,
    ) -> Result<T, StorageError> {
        let number = {
            let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
            calls.push(is_write);
            calls.len() - 1
        };
        let gone = || StorageError::unavailable("the server was killed", Written::Unknown);
        match self.end {
            End::Before(last) if number >= last => Err(gone()),
            End::After(last) if number > last => Err(gone()),
            End::After(last) if number == last => {
                call.await?;
                Err(gone())
            }
            _ => call.await,
        }
    }
}

#[async_trait]
impl ConsumerStore for Dying {
    async fn define_consumer(
        &self,
        name: &str,
        definition: &str,
    ) -> Result<Option<String>, StorageError> {
        let call = self.inner.define_consumer(name, definition);
        self.call(true, call).await
    }

    async fn load_consumer(&self, name: &str) -> Result<Option<String>, StorageError> {
        self.call(false, self.inner.load_consumer(name)).await
    }

    async fn consumer_names(&self) -> Result<Vec<String>, StorageError> {
        self.call(false, self.inner.consumer_names()).await
    }

    async fn remove_consumer(
        &self,
        name: &str,
        definition: &str,
        id: &str,
        slots: &[Vec<u16>],
    ) -> Result<bool, StorageError> {
        let call = self.inner.remove_consumer(name, definition, id, slots);
        self.call(true, call).await
    }

    async fn load_partitions(
        &self,
        id: &str,
        partitions: Range<u16>,
    ) -> Result<Vec<Option<StoredPartition>>, StorageError> {
        let call = self.inner.load_partitions(id, partitions);
        self.call(false, call).await
    }

    async fn load_parked(
        &self,
        id: &str,
        partition: u16,
        slots: &[u16],
    ) -> Result<Vec<String>, StorageError> {
        let call = self.inner.load_parked(id, partition, slots);
        self.call(false, call).await
    }

    async fn swap_partition(
        &self,
        id: &str,
        partition: u16,
        previous: Option<u64>,
        next: &StoredPartition,
        parked: &[ParkedWrite],
    ) -> Result<bool, StorageError> {
        let inner = &self.inner;
        let call = inner.swap_partition(id, partition, previous, next, parked);
        self.call(true, call).await
    }
}
