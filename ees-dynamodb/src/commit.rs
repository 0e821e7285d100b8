//! Appends a changeset with one conditional write.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{
    ItemCollectionMetrics, ReturnItemCollectionMetrics, ReturnValuesOnConditionCheckFailure,
};
use ees_core::adapter::{Commit, Outcome, Refusal, Verdict};
use ees_core::{Changeset, Expectation, Head, StorageError, StreamId, Timestamp, Written};

use crate::DynamoStorage;
use crate::attempts::Attempts;
use crate::error::translate;
use crate::items;
use crate::tables::{NO_CHANGESET, Placed};

/// The size in GB at which a stream is full. DynamoDB refuses every write to a stream from 10 GB
/// on, including the write of a position, and reports sizes in whole GB. A process learns that a
/// stream is full from its own write, so each process appends one more changeset. The difference
/// has room for the largest changesets of thousands of processes, and for the positions of all
/// changesets of the stream.
const FULL_GB: f64 = 8.0;

impl DynamoStorage {
    /// Appends a changeset if its expectation holds. A cached head saves a read. The condition of
    /// the write decides whether the head is still current.
    pub(crate) async fn append(&self, commit: &Commit) -> Result<Outcome, StorageError> {
        if let Some(key) = commit.client_key() {
            return self.append_once(commit, &key).await;
        }
        match self.judge(commit).await? {
            Verdict::Append(slot) => self.put(commit.clone().into_changeset(slot, None)).await,
            Verdict::Refuse(refusal) => Ok(Outcome::Refused(refusal)),
        }
    }

    /// Judges by a cached head, which may be outdated, or else by the end of the stream.
    pub(crate) async fn judge(&self, commit: &Commit) -> Result<Verdict, StorageError> {
        let is_full = self.full_streams.contains(&commit.stream_id);
        match self.heads.get(&commit.stream_id, commit.expectation) {
            Some(head) if !is_full => Ok(judge(commit, Some(&head))),
            None if !is_full && is_new_stream(commit.expectation) => Ok(judge(commit, None)),
            _ => self.judge_by_end(commit).await,
        }
    }

    /// Judges by the numbers of the stream's head, which a local index has. The head's time is read
    /// only if the answer contains the head.
    pub(crate) async fn judge_by_end(&self, commit: &Commit) -> Result<Verdict, StorageError> {
        let stream_id = &commit.stream_id;
        let end = self.tables.last(stream_id).await?;
        let head = end.map(|end| head(end, stream_id)).transpose()?;
        match judge(commit, head.as_ref()) {
            Verdict::Refuse(Refusal::Ahead(Some(_))) => {
                Ok(judge(commit, self.tables.head(stream_id).await?.as_ref()))
            }
            Verdict::Append(_) if self.full_streams.contains(stream_id) => {
                Ok(Verdict::Refuse(Refusal::Full))
            }
            verdict => Ok(verdict),
        }
    }

    pub(crate) async fn put(&self, changeset: Changeset) -> Result<Outcome, StorageError> {
        let attempts = Attempts::default();
        let put = self
            .tables
            .client
            .put_item()
            .table_name(&self.tables.config.events_table)
            .set_item(Some(items::item(&changeset)))
            .condition_expression(NO_CHANGESET)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_item_collection_metrics(ReturnItemCollectionMetrics::Size);
        let put = put.customize().interceptor(attempts.clone()).send().await;
        let error = match put {
            Ok(done) => {
                let full = done.item_collection_metrics().is_some_and(is_full);
                return Ok(self.stands(&changeset, full));
            }
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                let found = failed.item().map(items::changeset).transpose()?;
                let was_lost = attempts.written() == Written::Unknown;
                Ok(match found {
                    // An earlier attempt had succeeded, and its answer was lost. Without a lost answer it is
                    // a repeat of this commit that was made at the same moment.
                    Some(found) if was_lost && found == changeset => self.stands(&changeset, false),
                    _ => Outcome::Refused(Refusal::Outdated),
                })
            }
            Some(PutItemError::ItemCollectionSizeLimitExceededException(_))
                if attempts.written() == Written::None =>
            {
                Ok(Outcome::Refused(Refusal::Full))
            }
            _ => Err(translate("PutItem", &error, attempts.written())),
        }
    }

    fn stands(&self, changeset: &Changeset, full: bool) -> Outcome {
        if full {
            self.full_streams.learn(&changeset.stream_id);
        }
        self.heads.learn(&changeset.stream_id, changeset.head());
        self.news.announce();
        Outcome::Committed(changeset.receipt())
    }
}

pub(crate) fn is_new_stream(expectation: Expectation) -> bool {
    use Expectation::{LastChangeset, LastEvent};
    matches!(expectation, LastChangeset(0) | LastEvent(0))
}

fn judge(commit: &Commit, head: Option<&Head>) -> Verdict {
    commit.expectation.judge(head, commit.events.count())
}

/// Makes a head from an entry of the index. The entry has no time, and this head is in no answer.
pub(crate) fn head(end: Placed, stream_id: &StreamId) -> Result<Head, StorageError> {
    let corrupt = |error: ees_core::OutOfRange| {
        StorageError::Corrupt(format!(
            "the head of stream `{stream_id}` cannot be read: {error}"
        ))
    };
    Ok(Head {
        last_changeset: ees_core::ChangesetId::new(end.changeset).map_err(corrupt)?,
        last_event: ees_core::EventId::new(end.event.max(1)).map_err(corrupt)?,
        last_timestamp: Timestamp::now(),
    })
}

/// Whether a stream is full after a write.
pub(crate) fn is_full(measured: &ItemCollectionMetrics) -> bool {
    let lower = measured.size_estimate_range_gb().first();
    lower.is_some_and(|lower| *lower >= FULL_GB)
}
