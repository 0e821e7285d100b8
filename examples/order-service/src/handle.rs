//! Executes a command.

use ees_core::{
    CommitId, Error, EventStore, Events, Expectation, NewChangeset, Receipt, StreamId, StreamQuery,
};
use futures_util::TryStreamExt;

use crate::order::{Order, OrderEvent, Refused};

/// How often a commit is tried, and how often a decision.
const TRIES: u32 = 3;

/// Why a command was not executed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The rules of the business forbid it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The store failed, or others were faster each time. The caller may send the command again with
    /// its id.
    #[error(transparent)]
    Store(#[from] Error),
}

/// Loads an order, decides, and commits. A command id is executed once, however often it is sent.
///
/// # Errors
/// [`Failure`] if the command was not executed, or if that is unknown.
pub async fn handle(
    store: &EventStore,
    stream: &StreamId,
    command: &CommitId,
    decide: impl Fn(Order) -> Result<Vec<OrderEvent>, Refused>,
) -> Result<Receipt, Failure> {
    let mut tries = 1;
    loop {
        let (order, expectation) = match load(store, stream, command).await? {
            Loaded::Done(receipt) => return Ok(receipt),
            Loaded::Order(order, expectation) => (order, expectation),
        };
        let events = Events::of(&decide(order)?).map_err(Error::from)?;
        let asked = NewChangeset::new(stream.clone(), expectation, events)
            .with_idempotency_key(command.clone());
        match commit(store, asked).await {
            // Somebody else was faster, perhaps with this very command: load and decide again.
            Err(Error::Conflict(_) | Error::IdempotencyKeyReused { .. }) if tries < TRIES => {}
            committed => return Ok(committed?),
        }
        tries += 1;
    }
}

/// What the stream says about a command.
enum Loaded {
    /// It was executed before.
    Done(Receipt),
    /// The state to decide on, and the expectation of a commit that is based on it.
    Order(Order, Expectation),
}

async fn load(store: &EventStore, stream: &StreamId, command: &CommitId) -> Result<Loaded, Error> {
    let mut changesets = store.read_changesets(StreamQuery::all(stream.clone()));
    let (mut order, mut expectation) = (Order::default(), Expectation::NEW_STREAM);
    while let Some(changeset) = changesets.try_next().await? {
        if changeset.commit_id == *command {
            return Ok(Loaded::Done(changeset.receipt()));
        }
        for event in changeset.read_events() {
            order = order.apply(&event?);
        }
        expectation = Expectation::from(&changeset);
    }
    Ok(Loaded::Order(order, expectation))
}

/// Repeats the same commit while it may succeed: same key, same expectation, same content.
async fn commit(store: &EventStore, asked: NewChangeset) -> Result<Receipt, Error> {
    let mut tries = 1;
    loop {
        match store.commit(asked.clone()).await {
            Err(error) if tries < TRIES && error.is_retryable() => {
                tokio::time::sleep(error.retry_after().unwrap_or_default()).await;
            }
            done => return done,
        }
        tries += 1;
    }
}
