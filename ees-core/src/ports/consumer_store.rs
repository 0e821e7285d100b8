//! The port that stores durable consumers.

use std::ops::Range;

use async_trait::async_trait;

use crate::StorageError;

/// The most consumers of a store.
pub const MAX_CONSUMERS: usize = 1000;

/// Stores the definitions and the partitions of consumers (G16).
///
/// The core makes all documents and decides all changes; an adapter stores texts. A partition's
/// document is changed only by a compare-and-swap of its revision. Its parked streams are stored
/// beside it, each in a slot from 0 to 999, and change in the same transaction.
///
/// The id of a consumer is its name, `@` and a number, so that a consumer that is defined again after
/// it was removed has another id. Names and ids have at most 100 ASCII characters. A definition has
/// at most 64 KiB, a partition's document 8 KiB and a parked stream's 4 KiB.
///
/// All reads see every write that was acknowledged before.
#[async_trait]
pub trait ConsumerStore: Send + Sync + 'static {
    /// Stores the definition of a consumer if its name has none. Returns the one that the name had.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails. The definition may have been stored all the same.
    async fn define_consumer(
        &self,
        name: &str,
        definition: &str,
    ) -> Result<Option<String>, StorageError>;

    /// The definition of a consumer; `None` if there is none.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn load_consumer(&self, name: &str) -> Result<Option<String>, StorageError>;

    /// The names of all consumers, in ascending order of their bytes.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn consumer_names(&self) -> Result<Vec<String>, StorageError>;

    /// Removes a consumer's definition if it still is this one, then its partitions with their parked
    /// streams. Returns whether it was. `slots` are the slots of each partition that are in use.
    /// Calling it again removes what a failed call left, as far as `slots` names it.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails. Some of it may have been removed all the same.
    async fn remove_consumer(
        &self,
        name: &str,
        definition: &str,
        id: &str,
        slots: &[Vec<u16>],
    ) -> Result<bool, StorageError>;

    /// The documents of these partitions, each at its place; `None` for one that has none.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn load_partitions(
        &self,
        id: &str,
        partitions: Range<u16>,
    ) -> Result<Vec<Option<StoredPartition>>, StorageError>;

    /// The parked streams in these slots of a partition, in any order. Empty slots are left out.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn load_parked(
        &self,
        id: &str,
        partition: u16,
        slots: &[u16],
    ) -> Result<Vec<String>, StorageError>;

    /// Replaces the document of a partition if its revision still is `previous`, and changes parked
    /// streams with it: all or nothing. `previous` is `None` if the partition has no document.
    /// Returns whether it did. At most 64 parked streams change.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails. The swap may have happened all the same.
    async fn swap_partition(
        &self,
        id: &str,
        partition: u16,
        previous: Option<u64>,
        next: &StoredPartition,
        parked: &[ParkedWrite],
    ) -> Result<bool, StorageError>;
}

/// The document of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPartition {
    /// Differs after each change; less than 2^63.
    pub revision: u64,
    /// The document, which is JSON.
    pub document: String,
}

/// A change of a parked stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedWrite {
    /// Its slot.
    pub slot: u16,
    /// The new content of the slot, which is JSON; `None` empties it.
    pub document: Option<String>,
}
