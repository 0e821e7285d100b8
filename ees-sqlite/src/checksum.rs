//! The checksum of a row: it tells whether a row is as it was written.
//!
//! It has two halves of 32 bits. The upper half covers the outline, which is every column but the payload.
//! The lower half covers the whole row. So a read that needs no payload is checked without it.
//!
//! Both are upper halves of an XXH3 hash of 64 bits with seed 0
//! (<https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md>). The hash is taken over 64-bit words in
//! little endian. An integer is its word. A text is two words: its length in bytes and its own hash. NULL
//! is two words with all bits set. Files keep these values for ever.

use twox_hash::XxHash3_64;

/// The columns of a row, without its payload.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outline<'a> {
    pub(crate) checkpoint: i64,
    pub(crate) stream_id: &'a str,
    pub(crate) changeset_id: i64,
    pub(crate) first_event_id: i64,
    pub(crate) last_event_id: i64,
    pub(crate) timestamp: i64,
    pub(crate) commit_id: &'a str,
    pub(crate) set_mark: Option<&'a str>,
    pub(crate) event_types: Option<&'a str>,
}

impl Outline<'_> {
    fn hash(&self) -> u64 {
        let [stream_length, stream] = text(self.stream_id);
        let [commit_length, commit] = text(self.commit_id);
        let [mark_length, mark] = optional(self.set_mark);
        let [types_length, types] = optional(self.event_types);
        hash([
            self.checkpoint.cast_unsigned(),
            stream_length,
            stream,
            self.changeset_id.cast_unsigned(),
            self.first_event_id.cast_unsigned(),
            self.last_event_id.cast_unsigned(),
            self.timestamp.cast_unsigned(),
            commit_length,
            commit,
            mark_length,
            mark,
            types_length,
            types,
        ])
    }

    /// The checksum of the row that has this payload.
    pub(crate) fn checksum(&self, metadata: &str, events: &str) -> i64 {
        let outline = self.hash();
        let [metadata_length, metadata] = text(metadata);
        let [events_length, events] = text(events);
        let row = hash([outline, metadata_length, metadata, events_length, events]);
        (upper_half(outline) << 32 | upper_half(row)).cast_signed()
    }

    /// Whether this is the outline of a row with a checksum.
    pub(crate) fn is_covered_by(&self, checksum: i64) -> bool {
        upper_half(self.hash()) == upper_half(checksum.cast_unsigned())
    }
}

fn upper_half(hash: u64) -> u64 {
    hash >> 32
}

fn text(text: &str) -> [u64; 2] {
    [text.len() as u64, XxHash3_64::oneshot(text.as_bytes())]
}

fn optional(value: Option<&str>) -> [u64; 2] {
    value.map_or([u64::MAX; 2], text)
}

fn hash<const WORDS: usize>(words: [u64; WORDS]) -> u64 {
    let bytes = words.map(u64::to_le_bytes);
    XxHash3_64::oneshot(bytes.as_flattened())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTLINE: Outline<'_> = Outline {
        checkpoint: 7,
        stream_id: "order-17",
        changeset_id: 2,
        first_event_id: 3,
        last_event_id: 4,
        timestamp: 1_700_000_000_000_000,
        commit_id: "buy-1",
        set_mark: None,
        event_types: Some("buy\nsell"),
    };

    /// The first value is of the specification of XXH3. Files have the others: they never change.
    #[test]
    fn the_values_stay() {
        assert_eq!(XxHash3_64::oneshot(b""), 0x2d06_8005_38d3_94c2);
        let of_row = OUTLINE.checksum("{}", r#"[{"type":"buy"},{"type":"sell"}]"#);
        assert_eq!(of_row, -8_566_481_043_594_934_042);
        let in_a_set = Outline {
            set_mark: Some("1/2/x"),
            event_types: None,
            ..OUTLINE
        };
        assert_eq!(
            in_a_set.checksum("null", &"x".repeat(1000)),
            3_412_004_033_265_560_625
        );
    }

    /// Each column counts, and so does the border between two of them.
    #[test]
    fn every_change_of_a_row_is_told() {
        let sum = OUTLINE.checksum("{}", "[1]");
        let others = [
            Outline {
                checkpoint: 8,
                ..OUTLINE
            },
            Outline {
                stream_id: "order-1",
                ..OUTLINE
            },
            Outline {
                changeset_id: 3,
                first_event_id: 2,
                ..OUTLINE
            },
            Outline {
                last_event_id: 5,
                ..OUTLINE
            },
            Outline {
                timestamp: 0,
                ..OUTLINE
            },
            Outline {
                commit_id: "buy-2",
                ..OUTLINE
            },
            Outline {
                stream_id: "order-17b",
                commit_id: "uy-1",
                ..OUTLINE
            },
            Outline {
                set_mark: Some(""),
                ..OUTLINE
            },
            Outline {
                event_types: None,
                ..OUTLINE
            },
            Outline {
                set_mark: Some("buy\nsell"),
                event_types: None,
                ..OUTLINE
            },
        ];
        assert!(OUTLINE.is_covered_by(sum));
        for other in others {
            assert!(!other.is_covered_by(sum), "{other:?}");
            assert_ne!(other.checksum("{}", "[1]"), sum, "{other:?}");
        }
        for (metadata, events) in [("{}[", "1]"), ("", "{}[1]"), ("[1]", "{}"), ("{}", "[2]")] {
            let other = OUTLINE.checksum(metadata, events);
            assert_ne!(other, sum, "{metadata} {events}");
            assert!(OUTLINE.is_covered_by(other), "the payload is no part of it");
        }
    }
}
