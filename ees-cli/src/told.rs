//! Changesets as answers over HTTP tell them, with all that their leaves in the log are made of.

use ees_core::adapter::StoredChangeset;
use ees_core::{Changeset, Checkpoint, CommitId, GlobalPage, Timestamp};
use ees_evidence::read_changeset;
use serde::Deserialize;
use serde_json::value::RawValue;

/// A page of changesets.
#[derive(Deserialize)]
struct Page<'a> {
    /// In pages of a stream: the stream of all of them.
    stream_id: Option<String>,
    #[serde(borrow)]
    changesets: Vec<Told<'a>>,
    /// In pages of the global order: where the next page begins.
    next_checkpoint: Option<Checkpoint>,
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
    checkpoint: Option<i64>,
}

/// The changeset at a position, in a page or alone.
///
/// # Errors
/// What is wrong, for people.
pub(crate) fn find(text: &str, at: u64) -> Result<Changeset, String> {
    let told = match serde_json::from_str::<Page<'_>>(text) {
        Ok(page) => {
            let mut changesets = page.changesets.into_iter();
            let position = i64::try_from(at).ok();
            let is_it = |told: &Told<'_>| position.is_some() && told.checkpoint == position;
            let found = changesets.find(is_it);
            let found = found.ok_or_else(|| {
                format!("it has no changeset with `\"checkpoint\": {at}`, which the proof is for")
            })?;
            return found.read(page.stream_id.as_deref());
        }
        Err(no_page) => serde_json::from_str::<Told<'_>>(text).map_err(|no_changeset| {
            format!("neither a page of changesets ({no_page}) nor a changeset ({no_changeset})")
        })?,
    };
    told.read(None)
}

/// A page of the global order.
///
/// # Errors
/// What is wrong, for people.
pub(crate) fn global_page(text: &str) -> Result<GlobalPage, String> {
    let page: Page<'_> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let lacks = || "the page has no `next_checkpoint`".to_owned();
    Ok(GlobalPage {
        next: page.next_checkpoint.ok_or_else(lacks)?,
        changesets: page.read()?,
    })
}

/// A page of a stream.
///
/// # Errors
/// What is wrong, for people.
pub(crate) fn stream_page(text: &str) -> Result<Vec<Changeset>, String> {
    let page: Page<'_> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    page.read()
}

impl Page<'_> {
    fn read(&self) -> Result<Vec<Changeset>, String> {
        let stream = self.stream_id.as_deref();
        self.changesets
            .iter()
            .map(|told| told.read(stream))
            .collect()
    }
}

impl Told<'_> {
    /// The changeset. `stream` is that of the page, if it is a page of a stream.
    fn read(&self, stream: Option<&str>) -> Result<Changeset, String> {
        let lacks =
            |name: &str| format!("the changeset has no `{name}`: read it with `details=true`");
        let stream_id = self.stream_id.as_deref().or(stream);
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
            checkpoint: self.checkpoint,
        };
        read_changeset(stored).map_err(|error| error.to_string())
    }
}
