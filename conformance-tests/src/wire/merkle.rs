//! The verifiable log, computed by the suite itself: leaves from changesets as they are read, the root,
//! and the verification of proofs, after RFC 6962 and docs/evidence.md.

use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// A hash of the tree.
pub(crate) type Hash = [u8; 32];

/// A changeset as a read with details tells it.
#[derive(Deserialize)]
pub(crate) struct Told<'a> {
    pub(crate) stream_id: String,
    changeset_id: u64,
    first_event_id: u64,
    last_event_id: u64,
    timestamp: String,
    idempotency_key: Option<String>,
    pub(crate) set: Option<String>,
    #[serde(borrow)]
    events: &'a RawValue,
    #[serde(borrow)]
    metadata: &'a RawValue,
    pub(crate) checkpoint: u64,
}

fn hash(parts: &[&[u8]]) -> Hash {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update(part);
    }
    sha.finalize().into()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    hash(&[&[1], left, right])
}

/// The leaf of a position without a changeset.
pub(crate) fn void() -> Hash {
    hash(&[&[0], b"EES1void"])
}

/// The leaf of a changeset.
pub(crate) fn leaf(told: &Told<'_>) -> Hash {
    let mut record = b"\0EES1".to_vec();
    let mut field = |bytes: &[u8]| {
        record.extend((bytes.len() as u64).to_be_bytes());
        record.extend(bytes);
    };
    field(told.stream_id.as_bytes());
    field(&told.changeset_id.to_be_bytes());
    field(&told.first_event_id.to_be_bytes());
    field(&told.last_event_id.to_be_bytes());
    field(&micros(&told.timestamp).to_be_bytes());
    let key = told.idempotency_key.as_deref().unwrap_or("ees-none");
    field(key.as_bytes());
    field(told.set.as_deref().unwrap_or_default().as_bytes());
    field(told.metadata.get().as_bytes());
    field(told.events.get().as_bytes());
    hash(&[&record])
}

/// The microseconds since 1970 of a time as `2027-01-31T12:00:00.000000Z`.
fn micros(time: &str) -> i64 {
    let parts = time.trim_end_matches('Z').split(['-', 'T', ':', '.']);
    let parts: Vec<i64> = parts.map(|part| part.parse().expect("a number")).collect();
    let [year, month, day, hour, minute, second, micros] = parts[..] else {
        panic!("G11: a time with microseconds: {time}");
    };
    // The day of a calendar whose years begin in March: the leap day is their last one.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let days = year * 365 + leaps + (month * 153 + 2) / 5 + day - 719_469;
    (((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000 + micros
}

/// The root over leaves.
pub(crate) fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => hash(&[]),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node(&root(left), &root(right))
        }
    }
}

/// The root over the hashes of each level that are in no full tile.
pub(crate) fn rooted(edge: &[Vec<Hash>]) -> Hash {
    let mut found = None;
    for level in edge {
        let mut end = level.len();
        while end > 0 {
            let start = end - (1 << end.trailing_zeros());
            let tree = root(&level[start..end]);
            found = Some(found.map_or(tree, |right| node(&tree, &right)));
            end = start;
        }
    }
    found.unwrap_or_else(|| root(&[]))
}

/// The root to which a path leads from a leaf; `None` if it is none (RFC 9162, section 2.1.3.2).
pub(crate) fn led(index: u64, size: u64, leaf: Hash, path: &[Hash]) -> Option<Hash> {
    let (mut at, mut last, mut led) = (index, size - 1, leaf);
    for hash in path {
        if last == 0 {
            return None;
        }
        if at % 2 == 1 || at == last {
            led = node(hash, &led);
            while at % 2 == 0 && at != 0 {
                (at, last) = (at / 2, last / 2);
            }
        } else {
            led = node(&led, hash);
        }
        (at, last) = (at / 2, last / 2);
    }
    (last == 0).then_some(led)
}

/// The root of the larger size to which a consistency proof leads from the root of the smaller one; `None`
/// if it does not belong to that (RFC 9162, section 2.1.4.2).
pub(crate) fn grown(from: u64, to: u64, old: Hash, proof: &[Hash]) -> Option<Hash> {
    if from == to {
        return proof.is_empty().then_some(old);
    }
    let whole = from.is_power_of_two().then_some(old);
    let mut proof = whole.into_iter().chain(proof.iter().copied());
    let first = proof.next()?;
    let (mut at, mut last) = (from - 1, to - 1);
    while at % 2 == 1 {
        (at, last) = (at / 2, last / 2);
    }
    let (mut before, mut after) = (first, first);
    for hash in proof {
        if last == 0 {
            return None;
        }
        if at % 2 == 1 || at == last {
            (before, after) = (node(&hash, &before), node(&hash, &after));
            while at % 2 == 0 && at != 0 {
                (at, last) = (at / 2, last / 2);
            }
        } else {
            after = node(&after, &hash);
        }
        (at, last) = (at / 2, last / 2);
    }
    (last == 0 && before == old).then_some(after)
}

/// The hash that a text of base64 stands for.
pub(crate) fn parse(text: &str) -> Hash {
    let digit = |letter: u8| match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => panic!("G17: `{text}` is base64"),
    };
    let digits = text
        .strip_suffix('=')
        .expect("G17: a hash in base64")
        .bytes();
    let bits: Vec<u8> = digits
        .flat_map(|letter| (0..6).rev().map(move |bit| digit(letter) >> bit & 1))
        .collect();
    let bytes = bits
        .chunks_exact(8)
        .map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit));
    let bytes: Vec<u8> = bytes.collect();
    bytes.try_into().expect("G17: a hash has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(count: u8) -> Vec<Hash> {
        (0..count).map(|number| hash(&[&[number]])).collect()
    }

    #[test]
    fn times_are_counted_from_1970() {
        assert_eq!(micros("1970-01-01T00:00:00.000000Z"), 0);
        assert_eq!(micros("1969-12-31T23:59:59.999999Z"), -1);
        assert_eq!(micros("2023-11-14T22:13:20.000000Z"), 1_700_000_000_000_000);
        assert_eq!(micros("2024-02-29T00:00:00.000001Z"), 1_709_164_800_000_001);
        assert_eq!(micros("2000-03-01T00:00:00.000000Z"), 951_868_800_000_000);
    }

    /// The record of docs/evidence.md.
    #[test]
    fn the_leaf_is_that_of_the_docs() {
        let told = r#"{"stream_id":"order-17","changeset_id":2,"first_event_id":3,"last_event_id":4,
            "timestamp":"2023-11-14T22:13:20.000000Z","idempotency_key":"buy-1",
            "events":[1, 2],"metadata":{},"checkpoint":7}"#;
        let told: Told<'_> = serde_json::from_str(told).unwrap();
        let expected = parse("sMkrLtWlynqcGXg6rLRavnSeuZbdQ3nLZko+GtzFnZI=");
        assert_eq!(leaf(&told), expected);
        let expected = parse("ZJR+2IMPoUnTUIQshVWKOfReaPhEzyr2kkF13njHhoI=");
        assert_eq!(void(), expected);
    }

    /// Paths that are made as RFC 6962 says, of trees of all shapes.
    #[test]
    fn paths_lead_to_the_root_and_nowhere_else() {
        fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
            if leaves.len() == 1 {
                return Vec::new();
            }
            let half = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(half);
            let (mut path, other) = if index < half {
                (path(index, left), root(right))
            } else {
                (path(index - half, right), root(left))
            };
            path.push(other);
            path
        }
        for count in 1..=20 {
            let leaves = leaves(count);
            for (index, leaf) in leaves.iter().enumerate() {
                let mut path = path(index, &leaves);
                let led = |leaf, path: &[Hash]| led(index as u64, count.into(), leaf, path);
                assert_eq!(led(*leaf, &path), Some(root(&leaves)), "{index} of {count}");
                assert_ne!(led(void(), &path), Some(root(&leaves)));
                path.push(void());
                assert_ne!(led(*leaf, &path), Some(root(&leaves)));
            }
        }
    }

    #[test]
    fn growth_leads_to_both_roots() {
        fn proof(from: usize, leaves: &[Hash], is_whole: bool) -> Vec<Hash> {
            if from == leaves.len() {
                return if is_whole {
                    Vec::new()
                } else {
                    vec![root(leaves)]
                };
            }
            let half = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(half);
            let (mut proof, other) = if from <= half {
                (proof(from, left, is_whole), root(right))
            } else {
                (proof(from - half, right, false), root(left))
            };
            proof.push(other);
            proof
        }
        for to in 1..=20 {
            let leaves = leaves(to);
            for from in 1..=to {
                let proof = proof(from.into(), &leaves, true);
                let old = root(&leaves[..from.into()]);
                let new = Some(root(&leaves));
                assert_eq!(
                    grown(from.into(), to.into(), old, &proof),
                    new,
                    "{from}, {to}"
                );
                assert_ne!(grown(from.into(), to.into(), void(), &proof), new);
            }
        }
    }
}
