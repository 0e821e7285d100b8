//! The contract's answers as they are written.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::subject::{Changeset, Committed, Page, Unmet};

#[derive(Deserialize)]
pub(super) struct WireCommitted {
    pub(super) stream_id: String,
    pub(super) changeset_id: u64,
    pub(super) first_event_id: u64,
    pub(super) last_event_id: u64,
    pub(super) timestamp: String,
    pub(super) checkpoint: Option<u64>,
}

impl WireCommitted {
    pub(super) fn into_committed(self, replayed: bool) -> Committed {
        Committed {
            stream: self.stream_id,
            changeset_id: self.changeset_id,
            first_event_id: self.first_event_id,
            last_event_id: self.last_event_id,
            timestamp: self.timestamp,
            checkpoint: self.checkpoint,
            replayed,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct WireCommittedSet {
    pub(super) commits: Vec<WireCommitted>,
}

/// What every answer to a commit and to a set of commits has, with or without details.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum WireReceipts {
    One(WireReceipt),
    Set { commits: Vec<WireReceipt> },
}

/// The fields of every answer to a commit, with or without details.
#[derive(Deserialize)]
pub(super) struct WireReceipt {
    pub(super) stream_id: String,
    pub(super) changeset_id: u64,
}

#[derive(Deserialize)]
pub(super) struct WireHead {
    pub(super) stream_id: String,
    pub(super) last_changeset: u64,
    pub(super) last_event: u64,
    pub(super) last_timestamp: String,
}

#[derive(Deserialize)]
pub(super) struct WireChangesets<'a> {
    pub(super) stream_id: String,
    #[serde(borrow)]
    pub(super) changesets: Vec<WireChangeset<'a>>,
    pub(super) next: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct WireChangeset<'a> {
    pub(super) stream_id: Option<String>,
    pub(super) changeset_id: u64,
    pub(super) first_event_id: u64,
    pub(super) last_event_id: u64,
    pub(super) timestamp: String,
    #[serde(borrow)]
    pub(super) events: &'a RawValue,
    #[serde(borrow)]
    pub(super) metadata: &'a RawValue,
    pub(super) checkpoint: Option<u64>,
    pub(super) idempotency_key: Option<String>,
}

impl WireChangeset<'_> {
    pub(super) fn into_changeset(self, stream: Option<&str>) -> Changeset {
        Changeset {
            stream: stream
                .map(str::to_owned)
                .or(self.stream_id)
                .expect("a stream"),
            changeset_id: self.changeset_id,
            first_event_id: self.first_event_id,
            last_event_id: self.last_event_id,
            timestamp: self.timestamp,
            events: self.events.get().to_owned(),
            metadata: self.metadata.get().to_owned(),
            checkpoint: self.checkpoint,
            idempotency_key: self.idempotency_key,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct WireEvents<'a> {
    pub(super) stream_id: String,
    #[serde(borrow)]
    pub(super) events: Vec<WireEvent<'a>>,
    pub(super) next: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct WireEvent<'a> {
    pub(super) id: u64,
    #[serde(borrow)]
    pub(super) data: &'a RawValue,
}

#[derive(Deserialize)]
pub(super) struct WireGlobal<'a> {
    pub(super) checkpoint: u64,
    #[serde(borrow)]
    pub(super) changesets: Vec<WireChangeset<'a>>,
    pub(super) next_checkpoint: u64,
}

#[derive(Deserialize)]
pub(super) struct WireEnd {
    pub(super) checkpoint: u64,
}

#[derive(Deserialize)]
pub(super) struct WireGlobalEvents<'a> {
    #[serde(borrow)]
    pub(super) events: Vec<WireGlobalEvent<'a>>,
    pub(super) next_checkpoint: String,
}

#[derive(Deserialize)]
pub(super) struct WireGlobalEvent<'a> {
    pub(super) stream_id: String,
    pub(super) changeset_id: u64,
    pub(super) event_id: u64,
    #[serde(borrow)]
    pub(super) data: &'a RawValue,
    pub(super) checkpoint: String,
}

#[derive(Deserialize)]
pub(super) struct WireStatistics {
    pub(super) total_streams: u64,
    pub(super) total_changesets: u64,
    pub(super) total_events: u64,
    pub(super) max_stream_length: u64,
    pub(super) statistics_version: u64,
}

#[derive(Deserialize)]
pub(super) struct WireError<'a> {
    pub(super) error: String,
    pub(super) message: String,
    pub(super) stream_id: Option<String>,
    #[serde(borrow)]
    pub(super) forthcoming_changesets: Option<Vec<WireChangeset<'a>>>,
    #[serde(borrow)]
    pub(super) changeset: Option<WireChangeset<'a>>,
    pub(super) next: Option<u64>,
    #[serde(borrow)]
    pub(super) conflicts: Option<Vec<WireUnmet<'a>>>,
}

#[derive(Deserialize)]
pub(super) struct WireUnmet<'a> {
    stream_id: String,
    last_changeset: u64,
    last_event: u64,
    #[serde(borrow, default)]
    forthcoming_changesets: Vec<WireChangeset<'a>>,
    next: Option<u64>,
}

impl WireUnmet<'_> {
    pub(super) fn into_unmet(self) -> Unmet {
        let missed = self.forthcoming_changesets.into_iter();
        let stream = self.stream_id;
        Unmet {
            last_changeset: self.last_changeset,
            last_event: self.last_event,
            forthcoming: Page {
                items: missed
                    .map(|item| item.into_changeset(Some(&stream)))
                    .collect(),
                next: self.next,
            },
            stream,
        }
    }
}
