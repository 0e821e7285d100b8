//! The store as deciders need it.

mod in_process;

use std::error::Error as StdError;
use std::time::Duration;

use ees_core::consumer::{Ack, Claim, ConsumerName, Delivery};
use ees_core::{
    Changeset, Conflict, NewChangeset, NewSet, Page, Receipt, SetConflict, StreamQuery,
};

/// A store that deciders work over: [`ees_core::EventStore`] in process, or a client of a server.
///
/// An implementation translates calls and their outcomes. It decides nothing, and repeats nothing that
/// is not safe to repeat.
pub trait Store: Send + Sync {
    /// Why a call failed.
    type Error: StdError + Send + Sync + 'static;

    /// A page of a stream's changesets, as the query asks for. A stream that does not exist has none.
    ///
    /// A changeset has the same commit id and the same time whenever it is read: repeats and snapshots are
    /// recognised by them.
    ///
    /// # Errors
    /// The store failed.
    fn changesets(
        &self,
        query: &StreamQuery,
    ) -> impl Future<Output = Result<Page<Changeset>, Self::Error>> + Send;

    /// Appends a changeset to its stream, if its expectation holds.
    ///
    /// # Errors
    /// The store failed, or refuses the commit for another reason than its expectation or its key. The
    /// same commit may be sent again.
    fn commit(
        &self,
        asked: NewChangeset,
    ) -> impl Future<Output = Result<Outcome, Self::Error>> + Send;

    /// Appends changesets to several streams, all or none, if every expectation holds.
    ///
    /// # Errors
    /// As for [`Store::commit`].
    fn commit_all(
        &self,
        asked: NewSet,
    ) -> impl Future<Output = Result<SetOutcome, Self::Error>> + Send;

    /// How long to wait before the call that failed with this error is made again, unchanged. `None` if
    /// a repeat is of no use, or if the implementation has repeated the call already.
    fn retry_after(&self, error: &Self::Error) -> Option<Duration>;
}

/// A store with durable consumers, which projections work for.
pub trait Batches: Store {
    /// Claims a batch of a consumer. `None` if there was none within `wait`.
    ///
    /// # Errors
    /// The store failed, or the consumer is not defined.
    fn claim(
        &self,
        consumer: &ConsumerName,
        claim: Claim,
        wait: Duration,
    ) -> impl Future<Output = Result<Option<Delivery>, Self::Error>> + Send;

    /// Acknowledges a batch. Returns `false` if it is not out any more: another worker has taken over,
    /// and what was handled is handed out again.
    ///
    /// # Errors
    /// The store failed. The same acknowledgement may be sent again.
    fn acknowledge(
        &self,
        consumer: &ConsumerName,
        partition: u16,
        ack: &Ack,
    ) -> impl Future<Output = Result<bool, Self::Error>> + Send;
}

/// The outcome of a commit that the store has judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The changeset is stored, by this call or by an earlier one with the same key and content.
    Stored(Receipt),
    /// The key stands in this changeset of the stream, with other content. Nothing was written.
    KeyStands(Box<Changeset>),
    /// The stream has moved on beyond the expectation. Nothing was written.
    Conflict(Box<Conflict>),
    /// The stream ends before the expectation. Nothing was written.
    Ahead,
}

/// The outcome of a set of commits that the store has judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetOutcome {
    /// The changesets are stored, by this call or by an earlier one with the same key and content. The
    /// receipts are in the order of the commits.
    Stored(Vec<Receipt>),
    /// The key stands in this changeset of one of the streams, for anything but this set. Nothing was
    /// written.
    KeyStands(Box<Changeset>),
    /// Streams are not as the commits and checks expect. Nothing was written.
    Conflict(Box<SetConflict>),
}
