//! The rule for imported changesets.

use std::collections::HashMap;

use crate::{Changeset, Head, StreamId};

/// Whether imported changesets follow the changesets before them in their streams. `heads` are the heads
/// of their streams before the import; a stream without changesets has none.
///
/// # Errors
/// A text that names the first changeset that does not, for people.
pub fn check_import(
    heads: impl IntoIterator<Item = (StreamId, Head)>,
    changesets: &[Changeset],
) -> Result<(), String> {
    let mut heads: HashMap<_, _> = heads.into_iter().collect();
    for changeset in changesets {
        let head = heads.get(&changeset.stream_id);
        let last = head.map_or((0, 0), |head| {
            (head.last_changeset.get(), head.last_event.get())
        });
        let ids = (changeset.changeset_id.get(), changeset.first_event_id.get());
        if ids != (last.0 + 1, last.1 + 1) {
            return Err(format!(
                "changeset {} of stream `{}` begins with event {}, but the stream ends with changeset {} \
                 and event {}",
                ids.0, changeset.stream_id, ids.1, last.0, last.1
            ));
        }
        heads.insert(changeset.stream_id.clone(), changeset.head());
    }
    Ok(())
}
