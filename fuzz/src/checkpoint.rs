//! Checkpoints and ids: what is read is what is written.

use ees_core::{CommitId, EventCheckpoint, MAX_COMMIT_ID_CHARS, StreamId};
use ees_core::{MAX_STREAM_ID_BYTES, RESERVED_STREAM_PREFIX};

/// A text that is read as a checkpoint or an id is written as the same value, and what is read is
/// exactly what the contract allows.
///
/// # Panics
/// If the text breaks the property.
pub fn checkpoint(text: &str) {
    event_checkpoint(text);
    let stream = text.parse::<StreamId>();
    assert_eq!(stream.is_ok(), is_stream_id(text), "{text:?}: {stream:?}");
    if let Ok(stream) = stream {
        assert_eq!(stream.to_string(), text);
    }
    let commit = text.parse::<CommitId>();
    assert_eq!(commit.is_ok(), is_commit_id(text), "{text:?}: {commit:?}");
    if let Ok(commit) = commit {
        assert_eq!(commit.to_string(), text);
    }
}

fn event_checkpoint(text: &str) {
    let parts: Vec<&str> = text.split('.').collect();
    let expected = match parts[..] {
        [changeset] => number(changeset).map(|changeset| (changeset, 0)),
        [changeset, index] => number(changeset).zip(number(index)),
        _ => None,
    };
    let found = text.parse::<EventCheckpoint>().ok();
    let numbers = found.map(|found| (found.changeset.get(), found.index));
    assert_eq!(numbers, expected, "{text:?}");
    if let Some(found) = found {
        let written = found.to_string();
        assert_eq!(written.parse(), Ok(found), "{text:?} was written {written}");
    }
}

/// Decimal digits that are an integer from 0 to 2^63 - 1, as the standard library reads a signed
/// one.
fn number(text: &str) -> Option<u64> {
    let signed = text.starts_with(['+', '-']);
    let number = text.parse::<i64>().ok().filter(|_| !signed)?;
    u64::try_from(number).ok()
}

fn is_stream_id(text: &str) -> bool {
    (1..=MAX_STREAM_ID_BYTES).contains(&text.len())
        && !text.contains(char::is_control)
        && !text.starts_with(RESERVED_STREAM_PREFIX)
}

fn is_commit_id(text: &str) -> bool {
    (1..=MAX_COMMIT_ID_CHARS).contains(&text.chars().count())
        && text.chars().all(|found| (' '..='~').contains(&found))
}
