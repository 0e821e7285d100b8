//! The hashes of the tree's leaves: changesets and void positions.

use ees_core::Changeset;
use sha2::{Digest, Sha256};

/// A hash of the tree: SHA-256. As text it is base64.
pub use tlog_tiles::Hash;

/// The size of a hash, in bytes.
const HASH_BYTES: usize = tlog_tiles::HASH_SIZE;

/// Hashes that stand one after another; `None` if the last one is torn.
pub(crate) fn hashes_of(bytes: &[u8]) -> Option<Vec<Hash>> {
    let hashes = bytes.chunks(HASH_BYTES);
    hashes
        .map(|hash| Some(Hash(hash.try_into().ok()?)))
        .collect()
}

/// What stands before the record of a leaf, so that no leaf is a node (RFC 6962, section 2.1).
const LEAF: [u8; 1] = [0];

/// What the record of a changeset begins with.
const RECORD: &[u8] = b"EES1";

/// The record of a position that no changeset has.
const VOID: &[u8] = b"EES1void";

/// Room for the fields before the events, as they usually are.
const SMALL: usize = 512;

/// The leaf of a changeset: SHA-256 over a zero byte and its record.
///
/// The record is the bytes `EES1` and then the fields of the changeset: stream id, changeset id, first
/// event id, last event id, timestamp in microseconds since 1970-01-01T00:00:00Z, commit id, mark of its
/// set ([`SetMark`](ees_core::SetMark) as text, empty without a set), metadata, events. A field is its
/// length in bytes as an unsigned 64-bit big-endian number, and then its bytes: a text in UTF-8, a number
/// in 8 bytes, big-endian, the timestamp signed. Metadata and events are the texts that were committed.
pub fn leaf_of(changeset: &Changeset) -> Hash {
    let mut before = Vec::with_capacity(SMALL);
    before.extend(LEAF);
    before.extend(RECORD);
    text(&mut before, changeset.stream_id.as_str());
    number(&mut before, changeset.changeset_id.get().to_be_bytes());
    number(&mut before, changeset.first_event_id.get().to_be_bytes());
    number(&mut before, changeset.last_event_id.get().to_be_bytes());
    number(&mut before, changeset.timestamp.as_micros().to_be_bytes());
    text(&mut before, changeset.commit_id.as_str());
    match &changeset.set {
        Some(set) => text(&mut before, &set.to_string()),
        None => text(&mut before, ""),
    }
    text(&mut before, changeset.metadata.as_str());
    // The events alone may be large.
    let events = changeset.events.as_str();
    length(&mut before, events.len());
    let mut leaf = Sha256::new_with_prefix(before);
    leaf.update(events);
    Hash(leaf.finalize().into())
}

/// The leaf of a void position: SHA-256 over a zero byte and `EES1void`.
pub fn void_leaf() -> Hash {
    tlog_tiles::record_hash(VOID)
}

fn text(record: &mut Vec<u8>, text: &str) {
    length(record, text.len());
    record.extend(text.as_bytes());
}

fn number(record: &mut Vec<u8>, number: [u8; 8]) {
    length(record, number.len());
    record.extend(number);
}

fn length(record: &mut Vec<u8>, length: usize) {
    record.extend((length as u64).to_be_bytes());
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ees_core::Changeset;
    use ees_core::adapter::StoredChangeset;

    use super::*;

    fn stored() -> StoredChangeset<'static> {
        StoredChangeset {
            stream_id: "order-17",
            changeset_id: 2,
            first_event_id: 3,
            last_event_id: 4,
            timestamp_micros: 1_700_000_000_000_000,
            commit_id: "buy-1",
            set: None,
            events: "[1, 2]",
            metadata: "{}",
            checkpoint: Some(7),
        }
    }

    fn leaf(stored: StoredChangeset<'_>) -> String {
        leaf_of(&Changeset::try_from(stored).unwrap()).to_string()
    }

    /// Test vectors, which `docs/evidence.md` has too. They never change: logs were sealed with them.
    #[test]
    fn records_keep_their_hashes() {
        let mut record = b"EES1".to_vec();
        for field in [
            &b"order-17"[..],
            &2_u64.to_be_bytes(),
            &3_u64.to_be_bytes(),
            &4_u64.to_be_bytes(),
            &1_700_000_000_000_000_i64.to_be_bytes(),
            b"buy-1",
            b"",
            b"{}",
            b"[1, 2]",
        ] {
            record.extend((field.len() as u64).to_be_bytes());
            record.extend(field);
        }
        assert_eq!(leaf(stored()), tlog_tiles::record_hash(&record).to_string());
        assert_eq!(
            leaf(stored()),
            "sMkrLtWlynqcGXg6rLRavnSeuZbdQ3nLZko+GtzFnZI="
        );
        assert_eq!(
            void_leaf().to_string(),
            "ZJR+2IMPoUnTUIQshVWKOfReaPhEzyr2kkF13njHhoI="
        );
    }

    /// Each field but the position, which is the place of the leaf, changes the leaf.
    #[test]
    fn every_field_is_in_the_hash() {
        let set = format!("1/2:{}", "0".repeat(64));
        let changed = [
            StoredChangeset {
                stream_id: "order-18",
                ..stored()
            },
            StoredChangeset {
                changeset_id: 3,
                ..stored()
            },
            StoredChangeset {
                first_event_id: 2,
                ..stored()
            },
            StoredChangeset {
                last_event_id: 5,
                ..stored()
            },
            StoredChangeset {
                timestamp_micros: -1,
                ..stored()
            },
            StoredChangeset {
                commit_id: "buy-2",
                ..stored()
            },
            StoredChangeset {
                set: Some(&set),
                ..stored()
            },
            StoredChangeset {
                events: "[1,2]",
                ..stored()
            },
            StoredChangeset {
                metadata: "{ }",
                ..stored()
            },
            // A byte that moves from one field to its neighbour.
            StoredChangeset {
                stream_id: "order-1",
                commit_id: "7buy-1",
                ..stored()
            },
        ];
        for changed in changed {
            assert_ne!(leaf(changed), leaf(stored()), "{changed:?}");
        }
        let elsewhere = StoredChangeset {
            checkpoint: None,
            ..stored()
        };
        assert_eq!(leaf(elsewhere), leaf(stored()));
    }
}
