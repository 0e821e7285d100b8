//! The port that ends the commits to a store, for a move.

use async_trait::async_trait;

use crate::StorageError;

/// The longest address in [`Fence::fence`], in bytes.
pub const MAX_MOVED_TO: usize = 1024;

/// Ends the commits to a store that moves to another place, so that the last position is final (G14).
///
/// The fence is stored with the store. It survives restarts, and holds for every process that has the
/// store open. Reads go on. So do the writes of statistics, checkpoints, consumers, the log and the
/// identity, and imports.
#[async_trait]
pub trait Fence: Send + Sync + 'static {
    /// Refuses commits and sets of commits from now on, with [`StorageError::Fenced`].
    ///
    /// Once the call has returned, no commit of any process will be stored. What was stored before is
    /// visible to every read that begins afterwards. A store with a fence gets the new address.
    ///
    /// `moved_to` says where the store is now, for people and clients: a text without control
    /// characters, of at most [`MAX_MOVED_TO`] bytes.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails. The fence may stand all the same; the call may be
    /// repeated.
    async fn fence(&self, moved_to: &str) -> Result<(), StorageError>;

    /// Accepts commits again. Harmless without a fence.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails. The fence may be gone all the same; the call may be
    /// repeated.
    async fn lift_fence(&self) -> Result<(), StorageError>;

    /// Where the store has moved; `None` if it has no fence.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn fence_state(&self) -> Result<Option<String>, StorageError>;
}
