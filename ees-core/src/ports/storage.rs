//! The storage port.

use async_trait::async_trait;
use futures_util::future::BoxFuture;

use crate::adapter::read_filtered;
use crate::commit::{Commit, Outcome};
use crate::set::{CommitSet, SetOutcome};
use crate::{
    Changeset, Checkpoint, Filter, GlobalPage, Head, Identity, Page, PageLimit, StorageError,
    StreamId, StreamQuery,
};

/// Stores changesets: the contract between the core and an adapter.
///
/// An adapter only translates calls. The core decides: it has the rule of [`Expectation::judge`],
/// the arithmetic of ids and checkpoints, and the end of a page ([`PageBuilder`]). The use case
/// does the idempotent replay: after [`KeyStands`] it compares the content, and after
/// [`Outdated`] also commit ids.
///
/// Calls may run concurrently, may be dropped at any point, and may be repeated. A dropped call may
/// still take effect.
///
/// [`KeyStands`]: crate::adapter::Refusal::KeyStands
/// [`Outdated`]: crate::adapter::Refusal::Outdated
/// [`Expectation::judge`]: crate::Expectation::judge
/// [`PageBuilder`]: crate::adapter::PageBuilder
#[async_trait]
pub trait Storage: Send + Sync + 'static {
    /// Appends a changeset if its expectation holds.
    ///
    /// Atomic (G1): the changeset is stored whole or not at all. Of any number of commits with one
    /// expectation one succeeds (G2), and gets the next ids of its stream (G3). A commit whose
    /// [`client_key`](Commit::client_key) stands in its stream is refused with
    /// [`KeyStands`](crate::adapter::Refusal::KeyStands), before its expectation is judged (G10). This
    /// holds for any number of commits with one key at once. If the stream has the key more than once, which only older
    /// versions allowed, the first changeset counts. When the answer is
    /// `Committed`, the changeset is as durable as the storage promises (G4). A refusal is based on
    /// durable data only, never on a commit that may still be rolled back. A storage that orders at
    /// commit time assigns the next checkpoint (G6).
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] says whether the commit may have happened. After any other
    /// error it has not.
    async fn commit(&self, commit: &Commit) -> Result<Outcome, StorageError>;

    /// Appends the changesets of several streams if all expectations of the commits and of the checks
    /// hold, as [`Storage::commit`] does for one.
    ///
    /// Atomic (G1): all changesets are stored or none, and no reader of a stream sees one of them
    /// while another is not durable. One verdict (G2): each commit is judged as if it were alone, and
    /// a check holds at the moment of the commit, also against commits that run at the same time.
    /// Each changeset keeps its [`set`](Commit::set). A storage that orders at commit time assigns
    /// adjacent checkpoints, in the order of the commits (G6).
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] says whether the set may have been written. After any other error
    /// it was not.
    async fn commit_set(&self, set: &CommitSet) -> Result<SetOutcome, StorageError>;

    /// The end of a stream, strongly consistent; `None` if it holds nothing.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn head(&self, stream_id: &StreamId) -> Result<Option<Head>, StorageError>;

    /// A page of a stream, strongly consistent, in order and without a hole (G5). Empty if the
    /// stream does not exist or the range holds nothing.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn read_stream(&self, query: &StreamQuery) -> Result<Page<Changeset>, StorageError>;

    /// A page of the global order from a checkpoint on (G6, G7). It holds no changeset that was
    /// not durable when it was read, and ends before the first position that is not decided yet.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn read_global(
        &self,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError>;

    /// A page of the changesets of the global order that a filter selects, otherwise as
    /// [`Storage::read_global`] (G15). [`GlobalPage::next`] is past everything that was looked at, and
    /// equal to `from` only if there is nothing to look at. [`Look`] bounds what one call looks at, so
    /// that a page may be empty while more remains.
    ///
    /// The provided method reads with [`Storage::read_global`] and leaves out what the filter does not
    /// select. A storage that can pass over changesets without their payloads implements it itself.
    ///
    /// [`Look`]: crate::adapter::Look
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn read_filtered(
        &self,
        from: Checkpoint,
        limit: PageLimit,
        filter: &Filter,
    ) -> Result<GlobalPage, StorageError> {
        let read = |from, limit| self.read_global(from, limit);
        read_filtered(from, limit, filter, read).await
    }

    /// The end of the global order: the checkpoint that the next changeset will get.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn next_checkpoint(&self) -> Result<Checkpoint, StorageError>;

    /// The same end, if it is certain that the global order had not ended later before this call:
    /// `None` if the storage reads a replica, which may lag behind its source. A checkpoint beyond it
    /// belongs to no reader that follows this order.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn certain_end(&self) -> Result<Option<Checkpoint>, StorageError> {
        self.next_checkpoint().await.map(Some)
    }

    /// Tells what the storage has noticed since it was opened that lets it accept no more commits: stored
    /// data that is damaged or gone. A server is not ready then. It asks often, so nothing is read here.
    ///
    /// # Errors
    /// [`StorageError`] with the reason.
    fn check_sound(&self) -> Result<(), StorageError> {
        Ok(())
    }

    /// Checks that commits can be written, by a write that changes nothing. A server asks after the
    /// storage failed a commit. An adapter without such a write only answers a read.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn check_writable(&self) -> Result<(), StorageError> {
        self.next_checkpoint().await.map(drop)
    }

    /// The stored identity of the store; `None` if none was stored yet. A store whose adapter keeps
    /// none has another id after each start.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails.
    async fn load_identity(&self) -> Result<Option<Identity>, StorageError> {
        Ok(None)
    }

    /// Replaces the stored identity durably if it still is `previous`. Returns whether it did. An
    /// adapter stores [`Identity::to_text`], and compares the stored text with that of `previous`.
    ///
    /// # Errors
    /// [`StorageError`] if the storage fails. The swap may have happened all the same.
    async fn swap_identity(
        &self,
        previous: Option<&Identity>,
        next: &Identity,
    ) -> Result<bool, StorageError> {
        let _ = (previous, next);
        Ok(true)
    }

    /// What a copy of the store does not share with it, if the database has such a thing, as the id
    /// that DynamoDB gives to each table. A store whose identity was made at another place gets a new
    /// one.
    fn identity_place(&self) -> Option<String> {
        None
    }

    /// A wake-up: resolves once something may have been committed after this call. It may resolve
    /// without a commit, and it may miss commits of other processes. A reader listens first, then
    /// reads, and also polls. Only a read shows what was committed.
    fn news(&self) -> BoxFuture<'static, ()>;

    /// The largest size of events and metadata of a changeset, in bytes.
    fn max_changeset_bytes(&self) -> usize;

    /// Finishes the accepted commits and releases files, locks and connections. Afterwards every
    /// call fails with [`StorageError::Unavailable`]. May be called again.
    async fn close(&self);
}
