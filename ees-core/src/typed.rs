//! Payloads as values of the caller's own types.

use serde::de::DeserializeOwned;

use crate::{Changeset, EventId, Json, StreamId};

/// An event cannot be read as the type that its reader expects.
#[derive(Debug, thiserror::Error)]
#[error("event {event_id} of stream `{stream_id}` cannot be read: {problem}")]
pub struct UnreadableEvent {
    /// Its stream.
    pub stream_id: StreamId,
    /// Its number in the stream.
    pub event_id: EventId,
    /// The error of serde.
    pub problem: serde_json::Error,
}

impl Json {
    /// Reads the value as a `T`: the inverse of [`Json::of`].
    ///
    /// ```
    /// # use ees_core::Json;
    /// let (x, y): (u8, String) = Json::parse(r#"[1, "a"]"#)?.read()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`serde_json::Error`] if it cannot be read as a `T`.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.as_str())
    }
}

impl Changeset {
    /// Reads the events one by one, each as a `T`: the inverse of [`Events::of`](crate::Events::of).
    ///
    /// # Errors
    /// An item is [`UnreadableEvent`] if the event cannot be read as a `T`. The items after it are
    /// not affected.
    pub fn read_events<T: DeserializeOwned>(
        &self,
    ) -> impl Iterator<Item = Result<T, UnreadableEvent>> {
        self.each_event().map(|event| {
            event.data.read().map_err(|problem| UnreadableEvent {
                stream_id: self.stream_id.clone(),
                event_id: event.event_id,
                problem,
            })
        })
    }
}
