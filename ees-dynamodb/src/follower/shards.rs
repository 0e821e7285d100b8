//! Reads shards.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_sdk_dynamodbstreams::Client;
use aws_sdk_dynamodbstreams::error::SdkError;
use aws_sdk_dynamodbstreams::operation::get_records::GetRecordsError;
use aws_sdk_dynamodbstreams::operation::get_shard_iterator::GetShardIteratorError;
use aws_sdk_dynamodbstreams::types::{OperationType, Record, ShardIteratorType, StreamRecord};
use ees_core::adapter::{ChangesetKey, parse_number};
use ees_core::{ChangesetId, StorageError, StreamId, Timestamp, Written};

use super::frontier::{Shard, ShardPosition};
use crate::error::translate;
use crate::items::{CHANGESET_ID, STREAM_ID, TIMESTAMP};
use crate::record::is_commit;

/// The result of one read of a shard.
#[derive(Debug)]
pub(super) enum Batch {
    /// Records, and the sequence number of the last one. More may follow.
    Records {
        commits: Commits,
        last: Option<String>,
    },
    /// The last records of the shard.
    End { commits: Commits },
    /// The stream no longer has the next records.
    Forgotten,
}

/// The commits that records notify of.
#[derive(Debug, Default)]
pub(super) struct Commits {
    pub(super) keys: Vec<ChangesetKey>,
    /// When the oldest was committed, as far as the records tell.
    pub(super) oldest: Option<Timestamp>,
}

impl Commits {
    fn of(records: &[Record]) -> Self {
        let found = records.iter().filter_map(|record| {
            let key = committed(record)?;
            Some((key, time(record)))
        });
        let (keys, times): (_, Vec<_>) = found.unzip();
        let oldest = times.into_iter().flatten().min();
        Self { keys, oldest }
    }

    pub(super) fn add(&mut self, more: Self) {
        self.keys.extend(more.keys);
        self.oldest = self.oldest.into_iter().chain(more.oldest).min();
    }
}

/// A table's stream.
#[derive(Debug)]
pub(super) struct Shards {
    client: Client,
    stream: String,
    /// The shard iterators of the next reads. They expire.
    iterators: Mutex<HashMap<String, String>>,
}

impl Shards {
    pub(super) fn new(client: Client, stream: &str) -> Self {
        Self {
            client,
            stream: stream.to_owned(),
            iterators: Mutex::default(),
        }
    }

    /// Lists all shards of the stream.
    pub(super) async fn list(&self) -> Result<Vec<Shard>, StorageError> {
        let (mut shards, mut after) = (Vec::new(), None);
        loop {
            let describe = self.client.describe_stream().stream_arn(&self.stream);
            let described = describe.set_exclusive_start_shard_id(after).send().await;
            let described =
                described.map_err(|error| translate("DescribeStream", &error, Written::None))?;
            let Some(description) = described.stream_description else {
                return Ok(shards);
            };
            let listed = description.shards.unwrap_or_default().into_iter();
            shards.extend(listed.filter_map(|shard| {
                Some(Shard {
                    id: shard.shard_id?,
                    parent: shard.parent_shard_id,
                })
            }));
            after = description.last_evaluated_shard_id;
            if after.is_none() {
                return Ok(shards);
            }
        }
    }

    /// Reads the records of a shard after a position.
    pub(super) async fn read(
        &self,
        shard: String,
        position: ShardPosition,
    ) -> (String, Result<Batch, StorageError>) {
        let batch = self.read_shard(&shard, &position).await;
        (shard, batch)
    }

    async fn read_shard(
        &self,
        shard: &str,
        position: &ShardPosition,
    ) -> Result<Batch, StorageError> {
        let kept = self.iterators().remove(shard);
        let iterator = match kept {
            Some(iterator) => iterator,
            None => match self.iterator(shard, position).await? {
                Some(iterator) => iterator,
                None => return Ok(Batch::Forgotten),
            },
        };
        let get = self.client.get_records().shard_iterator(&iterator).send();
        let answer = match get.await {
            Ok(answer) => answer,
            Err(error) => return unread(&error),
        };
        let records = answer.records.unwrap_or_default();
        let commits = Commits::of(&records);
        let Some(next) = answer.next_shard_iterator else {
            return Ok(Batch::End { commits });
        };
        self.iterators().insert(shard.to_owned(), next);
        let last = records.last().and_then(|record| record.dynamodb());
        let last = last.and_then(StreamRecord::sequence_number);
        Ok(Batch::Records {
            commits,
            last: last.map(str::to_owned),
        })
    }

    /// A shard iterator for a position; `None` if the stream no longer has it.
    async fn iterator(
        &self,
        shard: &str,
        position: &ShardPosition,
    ) -> Result<Option<String>, StorageError> {
        let get = self.client.get_shard_iterator();
        let get = get.stream_arn(&self.stream).shard_id(shard);
        let get = match position {
            ShardPosition::After(record) => get
                .shard_iterator_type(ShardIteratorType::AfterSequenceNumber)
                .sequence_number(record),
            ShardPosition::Start | ShardPosition::End => {
                get.shard_iterator_type(ShardIteratorType::TrimHorizon)
            }
        };
        match get.send().await {
            Ok(answer) => Ok(answer.shard_iterator),
            Err(error) => match error.as_service_error() {
                Some(
                    GetShardIteratorError::TrimmedDataAccessException(_)
                    | GetShardIteratorError::ResourceNotFoundException(_),
                ) => Ok(None),
                _ => Err(translate("GetShardIterator", &error, Written::None)),
            },
        }
    }

    fn iterators(&self) -> std::sync::MutexGuard<'_, HashMap<String, String>> {
        self.iterators
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn unread<R: std::fmt::Debug>(error: &SdkError<GetRecordsError, R>) -> Result<Batch, StorageError> {
    match error.as_service_error() {
        Some(
            GetRecordsError::TrimmedDataAccessException(_)
            | GetRecordsError::ResourceNotFoundException(_),
        ) => Ok(Batch::Forgotten),
        // The iterator has expired. The next read requests a new one.
        Some(GetRecordsError::ExpiredIteratorException(_)) => Ok(Batch::Records {
            commits: Commits::default(),
            last: None,
        }),
        _ => Err(translate("GetRecords", error, Written::None)),
    }
}

/// The time of the commit that a record notifies of, if the stream has whole items.
fn time(record: &Record) -> Option<Timestamp> {
    let image = record.dynamodb()?.new_image()?;
    image.get(TIMESTAMP)?.as_s().ok()?.parse().ok()
}

/// The changeset of a record that notifies of a commit.
fn committed(record: &Record) -> Option<ChangesetKey> {
    let change = record.dynamodb()?;
    let stream_id = change.keys()?.get(STREAM_ID)?.as_s().ok()?;
    let changeset_id = change.keys()?.get(CHANGESET_ID)?.as_n().ok()?;
    let is_insert = record.event_name() == Some(&OperationType::Insert);
    if !is_insert || !is_commit(change.new_image(), Some(stream_id)) {
        return None;
    }
    let key = StreamId::new(stream_id)
        .ok()
        .zip(parse_number(changeset_id).and_then(|number| ChangesetId::new(number).ok()));
    let Some((stream_id, changeset_id)) = key else {
        tracing::error!(
            stream_id,
            changeset_id,
            "an item of the events table has a key that is not a changeset's"
        );
        return None;
    };
    Some(ChangesetKey {
        stream_id,
        changeset_id,
    })
}
