//! Executes commands on streams.

mod execute;
mod reading;
mod together;

use std::fmt;
use std::sync::Arc;

use ees_core::{EventStore, Json, Receipt};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cache::Cache;
use crate::{Decider, Error, Loaded, Snapshots, Store};

/// How often a command is decided, unless [`Streams::with_tries`] sets another number.
const TRIES: u32 = 16;

/// The result of work for a decider over a store.
pub type Done<T, D, S> = Result<T, Error<<D as Decider>::Error, <S as Store>::Error>>;

/// The streams of one decider in a store. Cheap to clone.
///
/// Over another store than [`EventStore`] its type is the second parameter:
/// `Streams::<Account, Client>::new(&client)`.
pub struct Streams<D, S = EventStore> {
    store: S,
    tries: u32,
    metadata: Json,
    snapshots: Option<Cache<D>>,
}

/// What a command did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed<D> {
    /// The changeset that the command was stored as. `None` if it had nothing to do. A command that was
    /// done before has the receipt of that time, with [`Receipt::replayed`].
    pub receipt: Option<Receipt>,
    /// The state of the stream, with the events of the command, and with later ones if they were read.
    pub state: D,
    /// The last changeset that the state contains.
    pub last_changeset: u64,
}

impl<D> Executed<D> {
    fn new(at: Loaded<D>, receipt: Option<Receipt>) -> Self {
        Self {
            receipt,
            state: at.state,
            last_changeset: at.last_changeset,
        }
    }
}

impl<D: Decider, S: Store + Clone> Streams<D, S> {
    /// The streams in a store.
    pub fn new(store: &S) -> Self {
        Self {
            store: store.clone(),
            tries: TRIES,
            metadata: Json::default(),
            snapshots: None,
        }
    }

    /// The same streams with another bound on how often a command is decided, while others commit to
    /// its stream. 0 counts as 1.
    #[must_use]
    pub fn with_tries(mut self, tries: u32) -> Self {
        self.tries = tries.max(1);
        self
    }

    /// The same streams, with metadata for what is committed.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Json) -> Self {
        self.metadata = metadata;
        self
    }

    /// The same streams with a place for snapshots. A snapshot is taken after `every` changesets of a
    /// stream, once they are committed or read.
    ///
    /// A snapshot of another [`Decider::VERSION`], one that cannot be read and one whose changeset is not
    /// in the stream are not used: the stream is read from its beginning.
    #[must_use]
    pub fn with_snapshots(mut self, place: impl Snapshots + 'static, every: u64) -> Self
    where
        D: Serialize + DeserializeOwned,
    {
        self.snapshots = Some(Cache::new(Arc::new(place), every));
        self
    }
}

impl<D, S: Clone> Clone for Streams<D, S> {
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            tries: self.tries,
            metadata: self.metadata.clone(),
            snapshots: self.snapshots.clone(),
        }
    }
}

impl<D, S: fmt::Debug> fmt::Debug for Streams<D, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streams")
            .field("store", &self.store)
            .field("tries", &self.tries)
            .field("snapshots", &self.snapshots)
            .finish_non_exhaustive()
    }
}
