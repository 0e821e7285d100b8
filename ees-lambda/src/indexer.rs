//! Assigns positions to committed changesets.

use ees_core::adapter::ChangesetKey;
use ees_core::indexer::{Indexer, IndexingError, Report};
use ees_core::{StorageError, Written};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use tokio::sync::{Mutex, OnceCell};
use tokio::time::{Instant, timeout_at};

use crate::Failure;
use crate::batch::{self, Record};
use crate::deadline::deadline;
use crate::metrics::{self, Unit};
use crate::store::Store;

pub(crate) async fn run(store: Store) -> Result<(), Error> {
    let indexer = BatchIndexer::new(store);
    lambda_runtime::run(service_fn(|event| answer(&indexer, event))).await
}

async fn answer(indexer: &BatchIndexer, event: LambdaEvent<Value>) -> Result<Value, Failure> {
    let records = batch::read(&event.payload)?;
    let done = indexer.index(&records, deadline(&event.context)).await;
    Ok(match (done, records.first()) {
        (Err(error), Some(first)) => {
            tracing::warn!(%error, "the batch must be delivered again");
            batch::again_from(first)
        }
        _ => batch::done(),
    })
}

/// Indexes batches of the stream. One value serves all invocations of a process.
pub(crate) struct BatchIndexer {
    pub(crate) store: Store,
    indexer: OnceCell<Mutex<Indexer>>,
}

impl BatchIndexer {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            indexer: OnceCell::new(),
        }
    }

    /// Indexes a whole batch, or fails. A failed batch is safe to index again.
    ///
    /// A changeset that cannot get a position does not fail the batch. A retry would not help, and
    /// would delay the records after it in the shard. It is logged and counted, and a sweep indexes
    /// it once it is repaired.
    pub(crate) async fn index(
        &self,
        records: &[Record],
        deadline: Instant,
    ) -> Result<(), StorageError> {
        let (keys, unreadable) = keys(records);
        let indexed = match timeout_at(deadline, self.index_keys(keys)).await {
            Ok(indexed) => indexed,
            Err(_) => Err(IndexingError {
                source: StorageError::unavailable(
                    "the time of the invocation is used up",
                    Written::Unknown,
                ),
                done: Report::default(),
            }),
        };
        let (report, failure) = match indexed {
            Ok(report) => (report, None),
            Err(IndexingError { source, done, .. }) => (done, Some(source)),
        };
        let refused = unreadable + refused(&report);
        metrics::tell(
            &self.store.config.events_table,
            &[
                ("IndexLag", Unit::Milliseconds, batch::lag(records)),
                ("IndexedChangesets", Unit::Count, report.written),
                ("LostSwaps", Unit::Count, report.lost_swaps),
                ("RefusedChangesets", Unit::Count, refused),
            ],
        );
        failure.map_or(Ok(()), Err)
    }

    async fn index_keys(&self, keys: Vec<ChangesetKey>) -> Result<Report, IndexingError> {
        let open = async || {
            let storage = self.store.get().await?;
            Ok(Mutex::new(Indexer::new(storage)))
        };
        let indexer = self.indexer.get_or_try_init(open).await;
        let indexer = indexer.map_err(|source| IndexingError {
            source,
            done: Report::default(),
        })?;
        indexer.lock().await.index(keys).await
    }
}

/// Logs the changesets that cannot get a position, and returns their number.
pub(crate) fn refused(report: &Report) -> u64 {
    for refused in &report.refused {
        tracing::error!("{refused}");
    }
    report.refused.len() as u64
}

/// The keys of the changesets of a batch, and the number of records with an invalid key.
fn keys(records: &[Record]) -> (Vec<ChangesetKey>, u64) {
    let (mut keys, mut unreadable) = (Vec::new(), 0);
    for commit in batch::commits(records) {
        match commit.key() {
            Ok(key) => keys.push(key),
            Err(error) => {
                tracing::error!(%error, "an item of the events table is not a changeset");
                unreadable += 1;
            }
        }
    }
    (keys, unreadable)
}
