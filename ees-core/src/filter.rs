//! Filters of the global order.

use serde::{Deserialize, Serialize};

use crate::event_type::{each, event_type};
use crate::{Changeset, Json};

/// Selects changesets of the global order, by the beginning of their stream's id and by the types of
/// their events (G15).
///
/// A changeset is selected if its stream id begins with one of the prefixes, and if one of its events
/// has one of the types. Without prefixes every stream is selected, and without types every event. A
/// reader of events gets only the events that have one of the types.
///
/// The type of an event is its top-level member `type`, if that is a string, with its escapes
/// decoded. Of several members with this name the last one counts.
///
/// ```
/// use ees_core::{Filter, Json};
/// let filter = Filter::default().stream_prefix("order-").event_type("paid");
/// assert!(filter.matches_stream("order-17"));
/// assert!(filter.matches_event(&Json::parse(r#"{"type": "paid", "data": 20}"#)?));
/// assert!(!filter.matches_event(&Json::parse(r#"{"type": "sent"}"#)?));
/// # Ok::<(), ees_core::PayloadError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    stream_prefixes: Vec<String>,
    event_types: Vec<String>,
}

impl Filter {
    /// Selects streams whose id begins with this prefix, in addition to those of other prefixes. The
    /// empty prefix selects every stream.
    #[must_use]
    pub fn stream_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.stream_prefixes.push(prefix.into());
        self
    }

    /// Selects events of this type, in addition to those of other types.
    #[must_use]
    pub fn event_type(mut self, event_type: impl Into<String>) -> Self {
        self.event_types.push(event_type.into());
        self
    }

    /// The prefixes, as they were given.
    pub fn stream_prefixes(&self) -> &[String] {
        &self.stream_prefixes
    }

    /// The types, as they were given.
    pub fn event_types(&self) -> &[String] {
        &self.event_types
    }

    /// Whether it selects every changeset.
    pub fn is_unlimited(&self) -> bool {
        self.event_types.is_empty() && self.matches_stream("")
    }

    /// Whether it selects a changeset.
    pub fn matches(&self, changeset: &Changeset) -> bool {
        self.matches_stream(changeset.stream_id.as_str())
            && (self.event_types.is_empty()
                || changeset.events.iter().any(|event| self.has_type(event)))
    }

    /// Whether it selects changesets of a stream, as far as the stream's id decides.
    pub fn matches_stream(&self, stream_id: &str) -> bool {
        let mut prefixes = self.stream_prefixes.iter();
        self.stream_prefixes.is_empty() || prefixes.any(|prefix| stream_id.starts_with(prefix))
    }

    /// Whether it selects an event, as far as the event's type decides.
    pub fn matches_event(&self, event: &Json) -> bool {
        self.event_types.is_empty() || self.has_type(event.as_str())
    }

    /// Whether it selects a changeset, as far as the types of its events decide. `kept` is what
    /// [`Events::types`](crate::Events::types) returned for the changeset's events.
    pub fn matches_types(&self, kept: &str) -> bool {
        self.event_types.is_empty()
            || each(kept).any(|found| self.event_types.iter().any(|wanted| wanted == found))
    }

    fn has_type(&self, event: &str) -> bool {
        event_type(event)
            .is_some_and(|found| self.event_types.iter().any(|wanted| *wanted == found))
    }
}

#[cfg(test)]
mod tests;
