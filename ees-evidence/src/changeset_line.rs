//! A changeset as a line of an export.

use std::borrow::Cow;

use ees_core::adapter::StoredChangeset;
use ees_core::{Changeset, Checkpoint};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::json_string;
use crate::without_events::read_changeset;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangesetLine<'a> {
    checkpoint: i64,
    #[serde(borrow)]
    stream_id: Cow<'a, str>,
    changeset_id: i64,
    first_event_id: i64,
    last_event_id: i64,
    timestamp: i64,
    #[serde(borrow)]
    commit_id: Cow<'a, str>,
    #[serde(borrow, default)]
    set: Option<Cow<'a, str>>,
    #[serde(borrow)]
    metadata: Cow<'a, str>,
    #[serde(borrow)]
    events: Cow<'a, str>,
}

/// Writes the members in the order of [`ChangesetLine`].
pub(crate) fn write(out: &mut Vec<u8>, changeset: &Changeset) {
    out.extend_from_slice(b"{\"checkpoint\":");
    number(out, changeset.checkpoint.map_or(0, Checkpoint::get));
    text(out, b",\"stream_id\":", changeset.stream_id.as_str());
    out.extend_from_slice(b",\"changeset_id\":");
    number(out, changeset.changeset_id.get());
    out.extend_from_slice(b",\"first_event_id\":");
    number(out, changeset.first_event_id.get());
    out.extend_from_slice(b",\"last_event_id\":");
    number(out, changeset.last_event_id.get());
    out.extend_from_slice(b",\"timestamp\":");
    number(out, changeset.timestamp.as_micros());
    text(out, b",\"commit_id\":", changeset.commit_id.as_str());
    if let Some(set) = &changeset.set {
        text(out, b",\"set\":", &set.to_string());
    }
    text(out, b",\"metadata\":", changeset.metadata.as_str());
    text(out, b",\"events\":", changeset.events.as_str());
    out.push(b'}');
}

fn text(out: &mut Vec<u8>, name: &[u8], text: &str) {
    out.extend_from_slice(name);
    json_string::write(out, text);
}

fn number(out: &mut Vec<u8>, number: impl serde::Serialize) {
    // Writing to memory does not fail.
    let _ = serde_json::to_writer(out, &number);
}

/// Reads a line, and checks the payloads: stores read them without a check.
pub(crate) fn read(line: &str) -> Result<Changeset, String> {
    let line: ChangesetLine<'_> =
        serde_json::from_str(line).map_err(|error| format!("it cannot be read: {error}"))?;
    let stored = StoredChangeset {
        stream_id: &line.stream_id,
        changeset_id: line.changeset_id,
        first_event_id: line.first_event_id,
        last_event_id: line.last_event_id,
        timestamp_micros: line.timestamp,
        commit_id: &line.commit_id,
        set: line.set.as_deref(),
        events: &line.events,
        metadata: &line.metadata,
        checkpoint: Some(line.checkpoint),
    };
    let changeset = read_changeset(stored).map_err(|error| error.to_string())?;
    let events: Vec<IgnoredAny> = serde_json::from_str(&line.events)
        .map_err(|error| format!("`events` is not a JSON array: {error}"))?;
    if events.len() as u64 != changeset.events.count() {
        return Err(format!(
            "it has {} events, and ids for {}",
            events.len(),
            changeset.events.count()
        ));
    }
    serde_json::from_str::<IgnoredAny>(&line.metadata)
        .map_err(|error| format!("`metadata` is not JSON: {error}"))?;
    Ok(changeset)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    /// The format is one that other programs read: it never changes.
    #[test]
    fn a_line_is_read_and_written_as_it_is() {
        let set = format!("1/2:{}", "0".repeat(64));
        for set in [String::new(), format!(r#","set":"{set}""#)] {
            let line = format!(
                r#"{{"checkpoint":7,"stream_id":"order-\"17\"","changeset_id":2,"first_event_id":3,"last_event_id":4,"timestamp":-1700000000000000,"commit_id":"buy-1"{set},"metadata":"{{\n}}","events":"[{{\"a\":\"\\u2028\"}}, 2]"}}"#
            );
            let changeset = super::read(&line).unwrap();
            let mut written = Vec::new();
            super::write(&mut written, &changeset);
            assert_eq!(String::from_utf8(written).unwrap(), line);
        }
    }
}
