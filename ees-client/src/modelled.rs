//! The store that the deciders and projections of `ees-model` work over. It asks for details, so that
//! changesets are as complete as those of a store in process.

use std::time::Duration;

use ees_core::consumer::{Ack, Claim, ConsumerName, Delivery};
use ees_core::{
    Changeset, CommitId, EventId, Expectation, MAX_ID, NewChangeset, NewSet, Page, Receipt,
    StreamId, StreamQuery, StreamRange, Timestamp,
};
use ees_model::{Batches, Missed, Outcome, SetOutcome, Store};

use crate::Error;
use crate::batches::{self, batch_of};
use crate::client::EventStore;
use crate::model::{self, Committed, Conflict};
use crate::read::StreamRead;
use crate::request::{Judging, request};

impl Store for EventStore {
    type Error = Error;

    async fn changesets(&self, query: &StreamQuery) -> Result<Page<Changeset>, Error> {
        let StreamRange::Changesets(ids) = &query.range else {
            let why = "a page of changesets is read by the ids of changesets";
            return Err(Error::Refused(why.to_owned()));
        };
        let read = StreamRead {
            from: Some(*ids.start()),
            to: Some(*ids.end()).filter(|to| *to < MAX_ID),
            direction: query.direction,
            page_size: Some(query.limit.max_items()),
            details: true,
            ..StreamRead::default()
        };
        match EventStore::changesets(self, &query.stream_id, &read).await {
            Ok((items, next)) => Ok(Page {
                items: complete(items)?,
                more: next.is_some(),
            }),
            Err(Error::StreamNotFound(_)) => Ok(Page {
                items: Vec::new(),
                more: false,
            }),
            Err(error) => Err(error),
        }
    }

    async fn commit(&self, asked: NewChangeset) -> Result<Outcome, Error> {
        match EventStore::commit(self, &asked).await {
            Ok(stored) => receipt(stored).map(Outcome::Stored),
            Err(Error::KeyReused {
                changeset: Some(stands),
                ..
            }) => Ok(Outcome::KeyStands(Box::new(changeset(*stands)?))),
            Err(Error::Conflict { conflict, .. }) => {
                let missed = missed(*conflict, Some(asked.expectation))?;
                Ok(Outcome::Conflict(missed))
            }
            Err(Error::Api(answered)) if answered.code == AHEAD => Ok(Outcome::Ahead),
            Err(error) => Err(error),
        }
    }

    async fn commit_all(&self, asked: NewSet) -> Result<SetOutcome, Error> {
        match EventStore::commit_all(self, &asked).await {
            Ok(stored) => {
                let receipts = stored.commits.into_iter().map(receipt);
                receipts.collect::<Result<_, _>>().map(SetOutcome::Stored)
            }
            Err(Error::KeyReused {
                changeset: Some(stands),
                ..
            }) => Ok(SetOutcome::KeyStands(Box::new(changeset(*stands)?))),
            Err(Error::SetConflict { conflicts, .. }) => {
                let missed = conflicts.into_iter().map(|conflict| {
                    let expected = expectation(&asked, &conflict.stream_id);
                    missed(conflict, expected)
                });
                missed.collect::<Result<_, _>>().map(SetOutcome::Conflict)
            }
            Err(error) => Err(error),
        }
    }

    /// The client has repeated the call already.
    fn retry_after(&self, _error: &Error) -> Option<Duration> {
        None
    }
}

impl Batches for EventStore {
    async fn claim(
        &self,
        consumer: &ConsumerName,
        claim: Claim,
        wait: Duration,
    ) -> Result<Option<Delivery>, Error> {
        let claim = batches::Claim {
            worker: &claim.worker,
            limit: claim.limit,
            wait: wait.as_secs(),
        };
        let asked = claim.asked(consumer)?.given("details", Some(true));
        let batch = request(self.settings(), &asked, &Judging::default(), batch_of).await?;
        let Some(batch) = batch else {
            return Ok(None);
        };
        Ok(Some(Delivery {
            partition: batch.partition,
            generation: batch.generation,
            lease: batch.lease,
            is_retry: batch.is_retry,
            changesets: complete(batch.changesets)?,
            next: batch.next,
        }))
    }

    async fn acknowledge(
        &self,
        consumer: &ConsumerName,
        partition: u16,
        ack: &Ack,
    ) -> Result<bool, Error> {
        let failed = ack.failed.iter().map(|failure| batches::Failure {
            stream_id: failure.stream_id.clone(),
            changeset_id: failure.changeset_id,
            error: failure.error.clone(),
        });
        let ack = batches::Ack {
            partition,
            generation: ack.generation,
            checkpoint: ack.checkpoint,
            failed: failed.collect(),
            next: None,
        };
        let asked = ack.asked(consumer)?;
        match request(self.settings(), &asked, &Judging::default(), |_| Ok(())).await {
            Err(Error::Fenced(_)) => Ok(false),
            acknowledged => acknowledged.map(|()| true),
        }
    }
}

/// The code of a stream that ends before the expectation of a commit.
const AHEAD: &str = "INVALID_EXPECTED_CHANGESET_ID";

/// What a set expects of a stream.
fn expectation(set: &NewSet, stream_id: &StreamId) -> Option<Expectation> {
    let commits = set.commits.iter();
    let commits = commits.map(|commit| (&commit.stream_id, commit.expectation));
    let checks = set.checks.iter();
    let mut all = commits.chain(checks.map(|check| (&check.stream_id, check.expectation)));
    all.find(|(id, _)| *id == stream_id)
        .map(|(_, expected)| expected)
}

fn missed(conflict: Conflict, expected: Option<Expectation>) -> Result<Missed, Error> {
    Ok(Missed {
        is_ahead: match expected {
            Some(Expectation::LastChangeset(last)) => last > conflict.last_changeset,
            Some(Expectation::LastEvent(last)) => last > conflict.last_event,
            None => false,
        },
        forthcoming: Page {
            items: complete(conflict.forthcoming)?,
            more: conflict.next.is_some(),
        },
        stream_id: conflict.stream_id,
    })
}

fn complete(changesets: Vec<model::Changeset>) -> Result<Vec<Changeset>, Error> {
    changesets.into_iter().map(changeset).collect()
}

/// A changeset that was read with details. The store does not tell the ids that it generated itself.
fn changeset(read: model::Changeset) -> Result<Changeset, Error> {
    let details = details(
        read.first_event_id,
        read.last_event_id,
        read.timestamp,
        &read,
    )?;
    let (first_event_id, last_event_id, timestamp) = details;
    let commit_id = match read.idempotency_key {
        Some(key) => key,
        None => CommitId::new(CommitId::NONE).map_err(|error| Error::Refused(error.to_string()))?,
    };
    Ok(Changeset {
        stream_id: read.stream_id,
        changeset_id: read.changeset_id,
        first_event_id,
        last_event_id,
        timestamp,
        commit_id,
        set: None,
        events: read.events,
        metadata: read.metadata,
        checkpoint: read.checkpoint,
    })
}

fn receipt(stored: Committed) -> Result<Receipt, Error> {
    let details = details(
        stored.first_event_id,
        stored.last_event_id,
        stored.timestamp,
        &stored,
    )?;
    let (first_event_id, last_event_id, timestamp) = details;
    Ok(Receipt {
        stream_id: stored.stream_id,
        changeset_id: stored.changeset_id,
        first_event_id,
        last_event_id,
        timestamp,
        checkpoint: stored.checkpoint,
        replayed: stored.replayed,
    })
}

/// What a changeset or a commit has with details.
type Details = (EventId, EventId, Timestamp);

fn details(
    first: Option<EventId>,
    last: Option<EventId>,
    timestamp: Option<Timestamp>,
    answered: &impl std::fmt::Debug,
) -> Result<Details, Error> {
    match (first, last, timestamp) {
        (Some(first), Some(last), Some(timestamp)) => Ok((first, last, timestamp)),
        _ => Err(Error::UnexpectedAnswer {
            status: 200,
            beginning: format!("{answered:?}").chars().take(200).collect(),
            location: None,
        }),
    }
}
