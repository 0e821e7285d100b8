//! Changesets as storages store them.

use std::sync::Arc;

use crate::{
    Changeset, ChangesetId, Checkpoint, CommitId, EventId, Events, Json, StorageError, StreamId,
    Timestamp,
};

/// A changeset as signed integers and texts, the form in which a storage stores it.
///
/// ```
/// use ees_core::Changeset;
/// use ees_core::adapter::StoredChangeset;
///
/// let row = StoredChangeset {
///     stream_id: "order-17",
///     changeset_id: 2,
///     first_event_id: 3,
///     last_event_id: 4,
///     timestamp_micros: 1_700_000_000_000_000,
///     commit_id: "buy-1",
///     set: None,
///     events: "[1, 2]",
///     metadata: "{}",
///     checkpoint: Some(7),
/// };
/// let changeset = Changeset::try_from(row)?;
/// assert_eq!(changeset.events.count(), 2);
///
/// let damaged = StoredChangeset { last_event_id: 2, ..row };
/// let error = Changeset::try_from(damaged).unwrap_err();
/// assert!(error.to_string().contains("changeset 2 of stream `order-17`"));
/// # Ok::<(), ees_core::StorageError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredChangeset<'a> {
    /// Its stream.
    pub stream_id: &'a str,
    /// Its number in the stream.
    pub changeset_id: i64,
    /// The number of its first event in the stream.
    pub first_event_id: i64,
    /// The number of its last event in the stream.
    pub last_event_id: i64,
    /// When it was committed, in microseconds since 1970-01-01T00:00:00Z.
    pub timestamp_micros: i64,
    /// Its commit id.
    pub commit_id: &'a str,
    /// Its place in the set in which it was committed, as [`SetMark`](crate::SetMark) writes it; `None`
    /// if it was committed alone.
    pub set: Option<&'a str>,
    /// Its events: the JSON array as it was committed. It is not parsed again.
    pub events: &'a str,
    /// Its metadata: the JSON value as it was committed. It is not parsed again.
    pub metadata: &'a str,
    /// Its position in the global order; `None` if it has none yet.
    pub checkpoint: Option<i64>,
}

impl TryFrom<StoredChangeset<'_>> for Changeset {
    type Error = StorageError;

    /// # Errors
    /// [`StorageError::Corrupt`] names the changeset and the invalid value.
    fn try_from(stored: StoredChangeset<'_>) -> Result<Self, StorageError> {
        read(&stored).map_err(|problem| {
            let StoredChangeset {
                changeset_id,
                stream_id,
                ..
            } = stored;
            StorageError::Corrupt(format!(
                "changeset {changeset_id} of stream `{stream_id}` cannot be read: {problem}"
            ))
        })
    }
}

fn read(stored: &StoredChangeset<'_>) -> Result<Changeset, Box<dyn std::error::Error>> {
    let first_event_id = EventId::try_from(stored.first_event_id)?;
    let last_event_id = EventId::try_from(stored.last_event_id)?;
    let count = event_count(first_event_id.get(), last_event_id.get())
        .filter(|count| *count > 0)
        .ok_or("its last event comes before its first")?;
    Ok(Changeset {
        stream_id: stored.stream_id.parse::<StreamId>()?,
        changeset_id: ChangesetId::try_from(stored.changeset_id)?,
        first_event_id,
        last_event_id,
        timestamp: Timestamp::from_micros(stored.timestamp_micros)?,
        commit_id: stored.commit_id.parse::<CommitId>()?,
        set: stored.set.map(str::parse).transpose()?,
        events: trusted_events(stored.events, count),
        metadata: trusted_json(stored.metadata),
        checkpoint: stored.checkpoint.map(Checkpoint::try_from).transpose()?,
    })
}

/// The number of events of a changeset with these first and last event ids. It is 0 if the last id
/// is the one before the first, and `None` if it is lower still.
pub fn event_count(first: u64, last: u64) -> Option<u64> {
    last.checked_add(1)?.checked_sub(first)
}

/// Turns a stored text back into a JSON value. The text is not checked again: it was checked at its
/// commit.
pub fn trusted_json(text: impl Into<Arc<str>>) -> Json {
    Json::trusted(text)
}

/// Turns a stored JSON array, with the number of its values, back into a changeset's events.
/// Neither is checked again: both were checked at the commit.
pub fn trusted_events(array: impl Into<Arc<str>>, count: u64) -> Events {
    Events::trusted(array, count)
}
