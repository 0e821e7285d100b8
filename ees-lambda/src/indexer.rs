//! Gives what is committed its place in the global order.

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
            tracing::warn!(%error, "the batch has to be delivered again");
            batch::again_from(first)
        }
        _ => batch::done(),
    })
}

/// Indexes batches of the stream, invocation after invocation.
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

    /// Indexes a batch whole, or fails: then all of it can be tried again.
    ///
    /// What can have no position is no failure: trying again would not help, and would keep those
    /// behind it in the shard waiting. It is logged and counted, and a sweep finds it once it is
    /// mended.
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
                    "the invocation has no time left",
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

/// Tells what can have no position, and how many that are.
pub(crate) fn refused(report: &Report) -> u64 {
    for refused in &report.refused {
        tracing::error!("{refused}");
    }
    report.refused.len() as u64
}

/// Where the changesets of a batch stand, and how many of them can stand nowhere.
fn keys(records: &[Record]) -> (Vec<ChangesetKey>, u64) {
    let (mut keys, mut unreadable) = (Vec::new(), 0);
    for commit in batch::commits(records) {
        match commit.key() {
            Ok(key) => keys.push(key),
            Err(error) => {
                tracing::error!(%error, "an item of the events table is no changeset");
                unreadable += 1;
            }
        }
    }
    (keys, unreadable)
}
