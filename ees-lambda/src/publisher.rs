//! Publishes committed changesets to subscribers.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use ees_core::Changeset;
use ees_core::adapter::{ChangesetKey, Publisher};
use ees_core::publication::Publication;
use ees_dynamodb::CommitRecord;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::Failure;
use crate::batch::{self, Record};
use crate::deadline::deadline;
use crate::metrics::{self, Unit};

pub(crate) async fn run(publishing: Publishing) -> Result<(), Error> {
    lambda_runtime::run(service_fn(|event| answer(&publishing, event))).await
}

async fn answer(publishing: &Publishing, event: LambdaEvent<Value>) -> Result<Value, Failure> {
    let records = batch::read(&event.payload)?;
    let unpublished = publishing.publish(&records, deadline(&event.context)).await;
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

    /// Publishes a batch. Returns the indexes of the records that were not completely published.
    /// Lambda must deliver again all records from the first of them on. So no stream misses a
    /// message, even if later messages of the stream were sent.
    pub(crate) async fn publish(&self, records: &[Record], deadline: Instant) -> BTreeSet<usize> {
        let mut publication = Publication::new(Arc::clone(&self.publisher));
        let mut places = HashMap::new();
        let mut unpublished = BTreeSet::new();
        for (place, record) in records.iter().enumerate() {
            match record.commit.as_ref().map(CommitRecord::changeset) {
                Some(Ok(changeset)) => {
                    places.entry(key(&changeset)).or_insert(place);
                    publication.add(changeset);
                }
                Some(Err(error)) => {
                    tracing::error!(%error, "an item of the events table cannot be published");
                    unpublished.insert(place);
                }
                None => {}
            }
        }
        if timeout_at(deadline, publication.run()).await.is_err() {
            tracing::warn!(
                "the time of the invocation is used up; the rest of the batch is not published"
            );
        }
        for failure in publication.failures() {
            tracing::error!("{failure}");
        }
        let left = publication.unpublished();
        unpublished.extend(left.filter_map(|changeset| places.get(&key(changeset))));
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

fn key(changeset: &Changeset) -> ChangesetKey {
    ChangesetKey {
        stream_id: changeset.stream_id.clone(),
        changeset_id: changeset.changeset_id,
    }
}
