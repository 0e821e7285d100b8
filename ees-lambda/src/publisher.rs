//! Publishes committed changesets to subscribers.

mod attempt;
mod patience;
mod refused;

use std::collections::BTreeSet;
use std::sync::Arc;

use ees_core::adapter::Publisher;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::Failure;
use crate::batch::{self, Record};
use crate::bucket::Bucket;
use crate::deadline::deadline;
use crate::metrics::{self, Unit};
use attempt::Attempt;

pub(crate) async fn run(publishing: Publishing, failures: Bucket) -> Result<(), Error> {
    let answers = service_fn(|event| answer(&publishing, &failures, event));
    lambda_runtime::run(answers).await
}

async fn answer(
    publishing: &Publishing,
    failures: &Bucket,
    event: LambdaEvent<Value>,
) -> Result<Value, Failure> {
    let records = batch::read(&event.payload)?;
    let set_aside = async |place: usize| {
        let (key, object) = refused::object(&event, place);
        failures.put(&key, object).await
    };
    let deadline = deadline(&event.context);
    let unpublished = publishing.insist(&records, deadline, set_aside).await;
    Ok(
        match unpublished.first().and_then(|place| records.get(*place)) {
            Some(record) => batch::again_from(record),
            None => batch::done(),
        },
    )
}

/// Publishes batches. One value serves all invocations of a process.
pub(crate) struct Publishing {
    publisher: Arc<dyn Publisher>,
    /// The events table, for the metrics.
    table: String,
}

impl Publishing {
    pub(crate) fn new(publisher: Arc<dyn Publisher>, table: String) -> Self {
        Self { publisher, table }
    }

    /// Tries to publish a batch once. Returns the indexes of the records that were not completely
    /// published.
    pub(crate) async fn publish(&self, records: &[Record], deadline: Instant) -> BTreeSet<usize> {
        let mut attempt = Attempt::new(Arc::clone(&self.publisher), records);
        if timeout_at(deadline, attempt.publication.run())
            .await
            .is_err()
        {
            tracing::warn!(
                "the time of the invocation is used up; the rest of the batch is not published"
            );
        }
        attempt.log();
        let unpublished = attempt.unpublished();
        self.tell(records, unpublished.len());
        unpublished
    }

    fn tell(&self, records: &[Record], unpublished: usize) {
        let commits = batch::commits(records).count();
        metrics::tell(
            &self.table,
            &[
                ("PublishLag", Unit::Milliseconds, batch::lag(records)),
                (
                    "PublishedChangesets",
                    Unit::Count,
                    (commits - unpublished) as u64,
                ),
                ("UnpublishedChangesets", Unit::Count, unpublished as u64),
            ],
        );
    }
}
