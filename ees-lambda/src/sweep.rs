//! Finds changesets that were never indexed, and indexes them.

use std::sync::Arc;

use ees_core::adapter::Index;
use ees_core::indexer::IndexingError;
use ees_core::{StorageError, Timestamp};
use ees_workers::Sweep;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};
use tokio::time::timeout_at;

use crate::Failure;
use crate::deadline::deadline;
use crate::indexer::refused;
use crate::metrics::{self, Unit};
use crate::store::Store;

pub(crate) async fn run(store: Store) -> Result<(), Error> {
    lambda_runtime::run(service_fn(|event| sweep(&store, event))).await
}

/// Sweeps page by page until the end of the table or of the invocation's time. The next run
/// continues an unfinished sweep, however many runs it takes. A run with the event `{"continue":
/// true}` only continues an unfinished sweep and does not begin a new one. A scheduled run begins none
/// either if it is needless.
async fn sweep(store: &Store, event: LambdaEvent<Value>) -> Result<Value, Failure> {
    let deadline = deadline(&event.context);
    let mut swept = Swept::default();
    let begin = if event.payload["continue"] == true {
        Begin::Never
    } else if event.payload["source"] == "aws.events" {
        Begin::IfNeeded
    } else {
        Begin::Always
    };
    let ended = timeout_at(deadline, swept.run(store, begin)).await;
    let table = &store.config.events_table;
    metrics::tell(
        table,
        &[
            ("SweptPages", Unit::Count, swept.pages),
            ("UnindexedChangesets", Unit::Count, swept.lost),
            ("RefusedChangesets", Unit::Count, swept.refused),
        ],
    );
    let Swept { pages, found, .. } = swept;
    let done = match ended {
        Ok(ended) => ended.map(|()| true)?,
        Err(_) => false,
    };
    tracing::info!(done, pages, found, "the sweep is complete");
    Ok(json!({"done": done, "pages": pages, "found": found}))
}

/// When a run begins a new sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begin {
    Always,
    IfNeeded,
    Never,
}

/// The result of a run.
#[derive(Debug, Default)]
struct Swept {
    pages: u64,
    found: u64,
    /// The changesets found so late after their commit that no notification is expected any more.
    lost: u64,
    /// The changesets that cannot get a position.
    refused: u64,
}

impl Swept {
    /// Runs the sweep. The future may be dropped: the next run sweeps the current page again.
    async fn run(&mut self, store: &Store, begin: Begin) -> Result<(), StorageError> {
        let storage = store.get().await?;
        let cursor = storage.sweep_cursor().await?;
        if cursor.is_none() {
            if begin == Begin::Never
                || (begin == Begin::IfNeeded && Sweep::is_needless(storage.as_ref()).await?)
            {
                return Ok(());
            }
            storage.save_sweep(Timestamp::now()).await?;
        }
        let mut sweep = Sweep::resume(Arc::clone(&storage) as _, cursor);
        loop {
            let page = sweep.next_page().await;
            let page = page.map_err(|IndexingError { source, done }| {
                self.refused += refused(&done);
                source
            })?;
            let Some(page) = page else {
                return Ok(());
            };
            self.refused += page.malformed as u64 + refused(&page.done);
            storage.save_sweep_cursor(page.next.as_ref()).await?;
            self.pages += 1;
            self.found += page.found as u64;
            self.lost += page.lost as u64;
        }
    }
}
