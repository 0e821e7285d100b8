//! Keys of bytes, which sort as the streams and numbers in them.

use std::ops::RangeInclusive;

use sha2::{Digest, Sha256};

/// Ends the stream id in a key. Stream ids contain no control characters.
const END: u8 = 0x00;

/// The part of a key that all entries of a stream share, and no entry of another stream has.
pub(crate) fn prefix(stream: &str) -> Vec<u8> {
    let mut key = stream.as_bytes().to_vec();
    key.push(END);
    key
}

/// The key of an entry of a stream.
pub(crate) fn key(stream: &str, number: u64) -> Vec<u8> {
    let mut key = prefix(stream);
    key.extend(number.to_be_bytes());
    key
}

/// The key of the entry of a client's idempotency key.
pub(crate) fn client_key(stream: &str, commit_id: &str) -> Vec<u8> {
    let mut key = prefix(stream);
    key.extend(commit_id.as_bytes());
    key
}

/// The keys of a stream's entries with these numbers. Both ends belong to the range.
pub(crate) fn range(stream: &str, from: u64, to: u64) -> RangeInclusive<Vec<u8>> {
    key(stream, from)..=key(stream, to)
}

/// The key of a subscription. Its name may be empty, or longer than a key of fjall.
pub(crate) fn subscription(name: &str) -> Vec<u8> {
    Sha256::digest(name).to_vec()
}

#[cfg(test)]
mod tests {
    use super::{key, prefix, range};

    #[test]
    fn numbers_sort_as_numbers() {
        assert!(key("a", 255) < key("a", 256));
        assert!(key("a", 256) < key("a", u64::MAX));
    }

    #[test]
    fn a_range_of_one_stream_contains_no_key_of_another() {
        let all = range("a", 0, u64::MAX);
        assert!(all.contains(&key("a", 0)) && all.contains(&key("a", u64::MAX)));
        for other in ["A", "a ", "a!", "ab", "a\u{10FFFF}", "b"] {
            assert!(!all.contains(&key(other, 0)) && !all.contains(&key(other, u64::MAX)));
            assert!(!key(other, 7).starts_with(&prefix("a")));
        }
    }
}
