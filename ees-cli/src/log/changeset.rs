//! A changeset as an answer over HTTP tells it, with all that its leaf in the log is made of.

use ees_core::adapter::StoredChangeset;
use ees_core::{Changeset, CommitId, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;

/// A page of changesets.
#[derive(Deserialize)]
struct Page<'a> {
    /// In pages of a stream: the stream of all of them.
    stream_id: Option<String>,
    #[serde(borrow)]
    changesets: Vec<Told<'a>>,
}

/// A changeset that is told with details.
#[derive(Deserialize)]
struct Told<'a> {
    stream_id: Option<String>,
    changeset_id: i64,
    first_event_id: Option<i64>,
    last_event_id: Option<i64>,
    timestamp: Option<Timestamp>,
    idempotency_key: Option<String>,
    set: Option<String>,
    #[serde(borrow)]
    events: &'a RawValue,
    #[serde(borrow)]
    metadata: &'a RawValue,
    checkpoint: Option<u64>,
}

/// The changeset at a position, in a page or alone.
///
/// # Errors
/// What is wrong, for people.
pub(super) fn find(text: &str, position: u64) -> Result<Changeset, String> {
    let told = match serde_json::from_str::<Page<'_>>(text) {
        Ok(page) => {
            let mut changesets = page.changesets.into_iter();
            let is_it = |told: &Told<'_>| told.checkpoint == Some(position);
            let found = changesets.find(is_it);
            let found = found.ok_or_else(|| {
                format!(
                    "it has no changeset with `\"checkpoint\": {position}`, which the proof is for"
                )
            })?;
            Told {
                stream_id: found.stream_id.or(page.stream_id),
                ..found
            }
        }
        Err(no_page) => serde_json::from_str::<Told<'_>>(text).map_err(|no_changeset| {
            format!("neither a page of changesets ({no_page}) nor a changeset ({no_changeset})")
        })?,
    };
    told.read()
}

impl Told<'_> {
    fn read(&self) -> Result<Changeset, String> {
        let lacks =
            |name: &str| format!("the changeset has no `{name}`: read it with `details=true`");
        let stream_id = self.stream_id.as_deref();
        let timestamp = self.timestamp.ok_or_else(|| lacks("timestamp"))?;
        let stored = StoredChangeset {
            stream_id: stream_id.ok_or_else(|| lacks("stream_id"))?,
            changeset_id: self.changeset_id,
            first_event_id: self.first_event_id.ok_or_else(|| lacks("first_event_id"))?,
            last_event_id: self.last_event_id.ok_or_else(|| lacks("last_event_id"))?,
            timestamp_micros: timestamp.as_micros(),
            commit_id: self.idempotency_key.as_deref().unwrap_or(CommitId::NONE),
            set: self.set.as_deref(),
            events: self.events.get(),
            metadata: self.metadata.get(),
            checkpoint: None,
        };
        Changeset::try_from(stored).map_err(|error| error.to_string())
    }
}
