//! The load: 1,000 streams, changesets of 3 events of about 100 bytes and 60 bytes of metadata.

use std::sync::atomic::{AtomicU64, Ordering};

/// The number of streams.
pub const STREAMS: u64 = 1000;

/// The types of the events of a changeset.
pub const KINDS: [&str; 3] = ["order_line_added", "price_changed", "line_noted"];

/// An event of this type: a JSON object.
pub fn event(kind: &str, number: u64) -> String {
    format!(
        r#"{{"type":"{kind}","number":{number},"item":"f3b9c1d2","price":"129.90","text":"about a hundred bytes"}}"#
    )
}

/// The events of a changeset: a JSON array.
pub fn events(number: u64) -> String {
    format!("[{}]", KINDS.map(|kind| event(kind, number)).join(","))
}

/// The types of these events, as a storage keeps them.
pub const TYPES: &str = "line_noted\norder_line_added\nprice_changed";

/// The same events, and none of them has a type.
pub fn untyped_events(number: u64) -> String {
    events(number).replace("\"type\"", "\"kind\"")
}

/// What a commit has beside its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// Nothing.
    Plain,
    /// An idempotency key.
    Keyed,
    /// Nothing, and its events have no type.
    Untyped,
}

/// The metadata of a changeset.
pub fn metadata(number: u64) -> String {
    format!(
        r#"{{"command":"change_order","issued_by":"user-{:08}"}}"#,
        number % 100_000_000
    )
}

/// The body of a commit.
pub fn body(number: u64) -> String {
    format!(
        r#"{{"metadata":{},"events":{}}}"#,
        metadata(number),
        events(number)
    )
}

/// A commit of a set, to a stream of this length.
pub fn member(stream: u64, last: u64) -> String {
    format!(
        r#"{{"stream_id":"order-{stream}","expected_last_changeset":{last},"metadata":{},"events":{}}}"#,
        metadata(last),
        events(last)
    )
}

/// The streams and the length of each.
#[derive(Debug)]
pub struct Streams {
    lengths: Vec<AtomicU64>,
}

impl Streams {
    /// Streams that have this number of changesets each.
    pub fn of_length(changesets: u64) -> Self {
        Self {
            lengths: (0..STREAMS).map(|_| AtomicU64::new(changesets)).collect(),
        }
    }

    /// Returns the stream's length and increases it by one. A stream belongs to one client.
    pub fn advance(&self, stream: u64) -> u64 {
        let place = usize::try_from(stream % STREAMS).unwrap();
        self.lengths[place].fetch_add(1, Ordering::Relaxed)
    }

    /// The number of changesets of all streams.
    pub fn changesets(&self) -> u64 {
        let lengths = self.lengths.iter();
        lengths.map(|length| length.load(Ordering::Relaxed)).sum()
    }
}
