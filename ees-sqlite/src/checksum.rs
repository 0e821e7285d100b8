//! The checksum of a row: it tells whether a row is as it was written.
//!
//! It has two halves of 32 bits. The upper half covers the outline, which is every column but the payload.
//! The lower half covers the whole row. So a read that needs no payload is checked without it.
//!
//! Both are the CRC-32 of ISO-HDLC, which Ethernet and gzip use
//! (<https://reveng.sourceforge.io/crc-catalogue/17plus.htm#crc.cat.crc-32-iso-hdlc>). It tells every change of
//! up to four adjacent bytes for certain. It is taken over 64-bit words in little endian. An integer is its
//! word. A text is two words: its length in bytes and its own CRC-32. NULL is two words with all bits set.
//! Files keep these values for ever.

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
    fn crc(&self) -> u64 {
        let [stream_length, stream] = text(self.stream_id);
        let [commit_length, commit] = text(self.commit_id);
        let [mark_length, mark] = optional(self.set_mark);
        let [types_length, types] = optional(self.event_types);
        crc([
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
        let outline = self.crc();
        let [metadata_length, metadata] = text(metadata);
        let [events_length, events] = text(events);
        let row = crc([outline, metadata_length, metadata, events_length, events]);
        (outline << 32 | row).cast_signed()
    }

    /// Whether this is the outline of a row with a checksum.
    pub(crate) fn is_covered_by(&self, checksum: i64) -> bool {
        self.crc() == checksum.cast_unsigned() >> 32
    }
}

fn text(text: &str) -> [u64; 2] {
    [
        text.len() as u64,
        u64::from(crc32fast::hash(text.as_bytes())),
    ]
}

fn optional(value: Option<&str>) -> [u64; 2] {
    value.map_or([u64::MAX; 2], text)
}

fn crc<const WORDS: usize>(words: [u64; WORDS]) -> u64 {
    let bytes = words.map(u64::to_le_bytes);
    u64::from(crc32fast::hash(bytes.as_flattened()))
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

    /// The first value is that of the catalogue. Files have the others: they never change.
    #[test]
    fn the_values_stay() {
        assert_eq!(crc32fast::hash(b"123456789"), 0xcbf4_3926);
        let of_row = OUTLINE.checksum("{}", r#"[{"type":"buy"},{"type":"sell"}]"#);
        assert_eq!(of_row, -5_747_524_083_043_750_533);
        let in_a_set = Outline {
            set_mark: Some("1/2/x"),
            event_types: None,
            ..OUTLINE
        };
        assert_eq!(
            in_a_set.checksum("null", &"x".repeat(1000)),
            4_324_002_187_232_310_841
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
