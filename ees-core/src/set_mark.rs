//! What a changeset knows of the set in which it was committed.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::{Events, Json, StreamId};

/// The place of a changeset in the set of commits in which it was stored
/// ([`EventStore::commit_all`](crate::EventStore::commit_all)): it was stored together with the other
/// changesets of the set, or not at all.
///
/// As text, in which a storage stores it: `2/3:` and the digest in hexadecimal digits, for the second
/// of three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SetMark {
    place: u8,
    count: u8,
    digest: [u8; 32],
}

/// A text that is not the mark of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the mark of a set is its place, `/`, the number of members, `:` and 64 hexadecimal digits"
)]
pub struct SetMarkError;

impl SetMark {
    /// The marks of a set's members, in their order.
    pub(crate) fn of_members<'a>(
        members: impl ExactSizeIterator<Item = (&'a StreamId, &'a Events, &'a Json)>,
    ) -> Vec<Self> {
        // A set has at most 25 members.
        let count = u8::try_from(members.len()).unwrap_or(u8::MAX);
        let mut hash = Sha256::new();
        for (stream_id, events, metadata) in members {
            for part in [stream_id.as_str(), events.as_str(), metadata.as_str()] {
                hash.update((part.len() as u64).to_be_bytes());
                hash.update(part);
            }
        }
        let digest = hash.finalize().into();
        let mark = |place| Self {
            place,
            count,
            digest,
        };
        (1..=count).map(mark).collect()
    }

    /// The place of the changeset in the set, from 1 on.
    pub fn place(&self) -> u8 {
        self.place
    }

    /// The number of changesets in the set.
    pub fn count(&self) -> u8 {
        self.count
    }

    /// SHA-256 over the stream id, the events and the metadata of each member, in their order, each as
    /// UTF-8 behind its length in bytes as a big-endian integer of 64 bits.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}

impl fmt::Display for SetMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}:", self.place, self.count)?;
        self.digest
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for SetMark {
    type Err = SetMarkError;

    fn from_str(text: &str) -> Result<Self, SetMarkError> {
        let mark = read(text).ok_or(SetMarkError)?;
        // Only the text that is written is read: `01/2` and capital letters are not.
        (mark.to_string() == text)
            .then_some(mark)
            .ok_or(SetMarkError)
    }
}

fn read(text: &str) -> Option<SetMark> {
    let (places, digits) = text.split_once(':')?;
    let (place, count) = places.split_once('/')?;
    let (place, count) = (place.parse().ok()?, count.parse().ok()?);
    if place == 0 || place > count {
        return None;
    }
    let mut digest = [0; 32];
    for (at, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(SetMark {
        place,
        count,
        digest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(members: &[(&str, &str, &str)]) -> Vec<SetMark> {
        let owned: Vec<_> = members
            .iter()
            .map(|(stream, events, metadata)| {
                let stream: StreamId = stream.parse().unwrap();
                let events = Events::parse(events).unwrap();
                (stream, events, Json::parse(metadata).unwrap())
            })
            .collect();
        SetMark::of_members(owned.iter().map(|(s, e, m)| (s, e, m)))
    }

    #[test]
    fn the_digest_is_the_documented_one() {
        let [first, second] = marks(&[("a", "[1]", "{}"), ("b", "[2, 3]", "7")])[..] else {
            panic!()
        };
        // printf '\0\0\0\0\0\0\0\1a\0\0\0\0\0\0\0\3[1]\0\0\0\0\0\0\0\2{}' > x
        // printf '\0\0\0\0\0\0\0\1b\0\0\0\0\0\0\0\6[2, 3]\0\0\0\0\0\0\0\0017' >> x; sha256sum x
        let digest = "aa1626660a2f55737dce4761983ad5e1c7a83bb704bdf64227dc150f8e631899";
        assert_eq!(first.to_string(), format!("1/2:{digest}"));
        assert_eq!(second.to_string(), format!("2/2:{digest}"));
        assert_eq!(second.to_string().parse(), Ok(second));
    }

    #[test]
    fn a_text_between_two_members_belongs_to_one_of_them() {
        let one = marks(&[("a", r#"["x"]"#, "{}"), ("b", "[1]", "{}")]);
        let other = marks(&[("b", "[1]", "{}"), ("a", r#"["x"]"#, "{}")]);
        assert_ne!(one[0].digest(), other[0].digest(), "the order counts");
        let one = marks(&[("ab", "[1]", "{}"), ("c", "[1]", "{}")]);
        let other = marks(&[("a", "[1]", "{}"), ("bc", "[1]", "{}")]);
        assert_ne!(one[0].digest(), other[0].digest(), "the borders count");
    }

    #[test]
    fn only_a_mark_is_read_as_one() {
        let digits = "ab".repeat(32);
        assert!(format!("3/25:{digits}").parse::<SetMark>().is_ok());
        for bad in [
            String::new(),
            format!("0/2:{digits}"),
            format!("3/2:{digits}"),
            format!("01/2:{digits}"),
            format!("+1/2:{digits}"),
            format!("1/2:{}", digits.to_uppercase()),
            format!("1/2:{digits}0"),
            format!("1/2:{}", &digits[1..]),
            format!("1/2:{}é", &digits[2..]),
            format!("1/2:{}", "+1".repeat(32)),
        ] {
            assert_eq!(bad.parse::<SetMark>(), Err(SetMarkError), "{bad:?}");
        }
    }
}
