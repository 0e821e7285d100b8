//! Changesets without events, which only the Python original wrote.

use ees_core::adapter::{StoredChangeset, trusted_events};
use ees_core::{Changeset, EventId, StorageError};

/// Reads a changeset that may be without events.
///
/// Such a changeset has the id of the event before it for its last one. At the beginning of a stream,
/// where no event is before it, it has 1.
///
/// # Errors
/// [`StorageError::Corrupt`] names the changeset and the invalid value.
pub fn read_changeset(stored: StoredChangeset<'_>) -> Result<Changeset, StorageError> {
    let (first, last) = (stored.first_event_id, stored.last_event_id);
    let has_ids_of_none = first.checked_sub(1) == Some(last) || (first, last) == (1, 1);
    if !has_ids_of_none || !is_empty(stored.events) {
        return Changeset::try_from(stored);
    }
    let last_event_id = EventId::try_from(last)
        .map_err(|error| StorageError::Corrupt(format!("the id of a last event: {error}")))?;
    let with_one = Changeset::try_from(StoredChangeset {
        last_event_id: first,
        ..stored
    })?;
    Ok(Changeset {
        last_event_id,
        events: trusted_events(stored.events, 0),
        ..with_one
    })
}

/// Whether a JSON array has no items.
fn is_empty(array: &str) -> bool {
    let inside = array.trim().strip_prefix('[');
    let inside = inside.and_then(|rest| rest.strip_suffix(']'));
    inside.is_some_and(|inside| inside.trim().is_empty())
}
