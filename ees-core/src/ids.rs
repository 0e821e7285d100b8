//! Validated identifiers: a value of one of these types is always a legal one.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use uuid::Uuid;

/// The largest id, checkpoint and count: 2^63 - 1, which every storage can hold in a signed
/// 64-bit integer.
pub const MAX_ID: u64 = i64::MAX as u64;

/// The longest stream id, in bytes of UTF-8.
pub const MAX_STREAM_ID_BYTES: usize = 1024;

/// Stream ids that begin so belong to the store itself.
pub const RESERVED_STREAM_PREFIX: &str = "!!!RESERVED";

/// The longest idempotency key, in characters.
pub const MAX_COMMIT_ID_CHARS: usize = 255;

/// The name of a stream: 1 to 1024 bytes of UTF-8 without control characters, not beginning with
/// [`RESERVED_STREAM_PREFIX`]. Cheap to clone.
///
/// ```
/// use ees_core::StreamId;
/// let stream: StreamId = "order-17".parse()?;
/// assert_eq!(stream.as_str(), "order-17");
/// assert!("".parse::<StreamId>().is_err());
/// # Ok::<(), ees_core::StreamIdError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(Arc<str>);

/// Why a text is no stream id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StreamIdError {
    /// The text is empty.
    #[error("the stream id is empty")]
    Empty,
    /// The text has more than [`MAX_STREAM_ID_BYTES`] bytes.
    #[error("the stream id has {bytes} bytes of UTF-8; at most {MAX_STREAM_ID_BYTES} are allowed")]
    TooLong {
        /// The length found.
        bytes: usize,
    },
    /// The text holds a control character.
    #[error("the stream id holds the control character U+{:04X}", u32::from(*found))]
    ControlCharacter {
        /// The first one found.
        found: char,
    },
    /// The text begins with [`RESERVED_STREAM_PREFIX`].
    #[error("stream ids that begin with `{RESERVED_STREAM_PREFIX}` are reserved for the store")]
    Reserved,
}

impl StreamId {
    /// Checks a text and takes it as a stream id.
    ///
    /// # Errors
    /// [`StreamIdError`] names the rule that the text breaks.
    pub fn new(text: &str) -> Result<Self, StreamIdError> {
        if text.is_empty() {
            return Err(StreamIdError::Empty);
        }
        if text.len() > MAX_STREAM_ID_BYTES {
            return Err(StreamIdError::TooLong { bytes: text.len() });
        }
        if let Some(found) = text.chars().find(|c| c.is_control()) {
            return Err(StreamIdError::ControlCharacter { found });
        }
        if text.starts_with(RESERVED_STREAM_PREFIX) {
            return Err(StreamIdError::Reserved);
        }
        Ok(Self(text.into()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StreamId {
    type Err = StreamIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of a commit, stored with its changeset: the caller's idempotency key, or one the store
/// made. 1 to 255 printable ASCII characters. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CommitId(Arc<str>);

/// The text is not 1 to 255 printable ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key is 1 to {MAX_COMMIT_ID_CHARS} printable ASCII characters")]
pub struct CommitIdError;

impl CommitId {
    /// What the ids that the store makes begin with.
    pub const GENERATED_PREFIX: &str = "ees-";

    /// Checks a text and takes it as a commit id.
    ///
    /// # Errors
    /// [`CommitIdError`] if it is not 1 to 255 printable ASCII characters.
    pub fn new(text: &str) -> Result<Self, CommitIdError> {
        let printable = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        if text.is_empty() || text.len() > MAX_COMMIT_ID_CHARS || !printable {
            return Err(CommitIdError);
        }
        Ok(Self(text.into()))
    }

    /// Makes an id that no other commit has.
    pub fn generate() -> Self {
        Self(format!("{}{}", Self::GENERATED_PREFIX, Uuid::new_v4()).into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CommitId {
    type Err = CommitIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A number is outside the range that an id or a position may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a {what} cannot be {found}")]
pub struct OutOfRange {
    pub(crate) what: &'static str,
    pub(crate) found: i128,
}

/// Defines a number of the domain: a range, and the conversions that storages need.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $what:literal, from $first:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(u64);

        impl $name {
            /// The first one.
            pub const FIRST: Self = Self($first);

            /// Takes a number, if it is in range.
            ///
            /// # Errors
            #[doc = concat!("[`OutOfRange`](crate::OutOfRange) if it is not ", $first, " to 2^63 - 1.")]
            pub fn new(number: u64) -> Result<Self, $crate::ids::OutOfRange> {
                if !($first..=$crate::ids::MAX_ID).contains(&number) {
                    return Err($crate::ids::OutOfRange { what: $what, found: number.into() });
                }
                Ok(Self(number))
            }

            /// The plain number.
            pub const fn get(self) -> u64 {
                self.0
            }

            /// The number as storages with signed integers keep it; never negative.
            pub const fn as_i64(self) -> i64 {
                self.0.cast_signed()
            }
        }

        impl TryFrom<i64> for $name {
            type Error = $crate::ids::OutOfRange;

            fn try_from(number: i64) -> Result<Self, Self::Error> {
                let found = i128::from(number);
                u64::try_from(number)
                    .map_err(|_| $crate::ids::OutOfRange { what: $what, found })
                    .and_then(Self::new)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}
pub(crate) use number;

number! {
    /// The number of a changeset in its stream: 1, 2, 3 ... without a hole.
    ChangesetId, "changeset id", from 1
}

number! {
    /// The number of an event in its stream: 1, 2, 3 ... without a hole.
    EventId, "event id", from 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_id_has_1_to_1024_bytes() {
        assert!(StreamId::new(&"é".repeat(512)).is_ok());
        let bytes = 1025;
        assert_eq!(
            StreamId::new(&"x".repeat(bytes)),
            Err(StreamIdError::TooLong { bytes })
        );
        assert_eq!(StreamId::new(""), Err(StreamIdError::Empty));
    }

    #[test]
    fn a_stream_id_may_hold_anything_printable_but_the_reserved_prefix() {
        for good in [
            "a/b",
            "%",
            "?",
            "\"",
            "日本",
            "a b",
            "!!!reserved",
            "x!!!RESERVED",
        ] {
            assert!(StreamId::new(good).is_ok(), "{good}");
        }
        for found in ['\n', '\0', '\u{7f}', '\u{85}'] {
            assert_eq!(
                StreamId::new(&format!("a{found}")),
                Err(StreamIdError::ControlCharacter { found })
            );
        }
        assert_eq!(
            StreamId::new("!!!RESERVED:GLOBAL-COUNTER!!!"),
            Err(StreamIdError::Reserved)
        );
    }

    #[test]
    fn a_commit_id_is_printable_ascii() {
        assert!(CommitId::new(&"k".repeat(255)).is_ok());
        assert!(CommitId::new(" ~").is_ok());
        for bad in ["", &"k".repeat(256), "é", "a\tb"] {
            assert_eq!(CommitId::new(bad), Err(CommitIdError), "{bad:?}");
        }
        assert!(CommitId::new(CommitId::generate().as_str()).is_ok());
    }

    #[test]
    fn numbers_keep_their_range() {
        assert!(ChangesetId::new(0).is_err());
        assert!(EventId::new(MAX_ID).is_ok());
        assert!(EventId::new(MAX_ID + 1).is_err());
        assert_eq!(
            ChangesetId::try_from(-1).unwrap_err().to_string(),
            "a changeset id cannot be -1"
        );
    }
}
