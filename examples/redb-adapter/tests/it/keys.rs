//! Keys for a store whose keys are bytes. redb has typed keys and does not need them.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Ends the stream id in a key. A stream id contains no control character.
const END: u8 = 0x00;

/// The part of a key that all entries of a stream share, and no entry of another stream has.
fn prefix(stream: &str) -> Vec<u8> {
    let mut key = stream.as_bytes().to_vec();
    key.push(END);
    key
}

/// The key of an entry of a stream.
fn key(stream: &str, number: u64) -> Vec<u8> {
    let mut key = prefix(stream);
    key.extend(number.to_be_bytes());
    key
}

/// The keys of a stream's entries with these numbers. Both ends belong to the range.
fn range(stream: &str, from: u64, to: u64) -> RangeInclusive<Vec<u8>> {
    key(stream, from)..=key(stream, to)
}

/// The number in a key.
fn number(key: &[u8]) -> Option<u64> {
    key.last_chunk().copied().map(u64::from_be_bytes)
}

/// The entry of a stream with the highest number, as a store finds it that can only seek: it takes
/// the last key that is not above the bound, which may belong to another stream.
fn last(entries: &BTreeMap<Vec<u8>, u64>, stream: &str) -> Option<u64> {
    let (found, _) = entries.range(..=key(stream, u64::MAX)).next_back()?;
    if !found.starts_with(&prefix(stream)) {
        return None;
    }
    number(found)
}

/// Streams of which one is the beginning of another, and numbers of different lengths.
const STREAMS: &[&str] = &["a", "a ", "a!", "ab", "abc", "a\u{10ffff}", "b"];
const NUMBERS: &[u64] = &[1, 2, 255, 256, 257, 65_536, i64::MAX.cast_unsigned()];

fn entries() -> BTreeMap<Vec<u8>, u64> {
    let streams = STREAMS.iter().rev();
    let keys = streams.flat_map(|stream| NUMBERS.iter().map(move |number| key(stream, *number)));
    keys.zip(0..).collect()
}

#[test]
fn a_range_holds_the_entries_of_its_stream_in_order() {
    let entries = entries();
    assert_eq!(entries.len(), STREAMS.len() * NUMBERS.len());
    for stream in STREAMS {
        let read = |from, to| -> Vec<u64> {
            let found = entries.range(range(stream, from, to));
            found.filter_map(|(key, _)| number(key)).collect()
        };
        assert_eq!(read(0, u64::MAX), NUMBERS, "`{stream}`");
        assert_eq!(read(2, 256), [2, 255, 256], "`{stream}`");
        assert!(read(3, 254).is_empty(), "`{stream}`");
        assert_eq!(last(&entries, stream), NUMBERS.last().copied());
    }
}

#[test]
fn a_stream_without_entries_has_no_last_one() {
    for missing in ["A", "aa", "a!!", "abcd", "z"] {
        assert_eq!(last(&entries(), missing), None, "`{missing}`");
    }
}

#[test]
fn without_an_end_a_stream_reads_another() {
    let key = |stream: &str, number: u64| [stream.as_bytes(), &number.to_be_bytes()].concat();
    let of_ab = key("ab", 1);
    assert!((key("a", 0)..=key("a", u64::MAX)).contains(&of_ab));
}
