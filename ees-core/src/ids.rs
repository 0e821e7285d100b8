//! Ids of streams and commits: a value of one of these types is always valid.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::from_text::from_text;

/// The longest stream id, in bytes of UTF-8.
pub const MAX_STREAM_ID_BYTES: usize = 1024;

/// The prefix of stream ids that are reserved for the store.
pub const RESERVED_STREAM_PREFIX: &str = "!!!RESERVED";

/// The longest idempotency key, in characters.
pub const MAX_COMMIT_ID_CHARS: usize = 255;

/// Defines the conversions of an id that is a text.
macro_rules! text_id {
    ($name:ident, $error:ident) => {
        impl FromStr for $name {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = $error;

            fn try_from(text: &str) -> Result<Self, Self::Error> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = $error;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::new(&text)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                from_text(deserializer)
            }
        }
    };
}

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

/// Why a text is not a valid stream id.
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
    /// Makes a stream id from a valid text.
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

text_id!(StreamId, StreamIdError);

/// The id of a commit, stored with its changeset: the caller's idempotency key, or an id that the
/// store generated. 1 to 255 printable ASCII characters. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CommitId(Arc<str>);

/// A text that is not an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitIdError {
    /// It is not 1 to 255 printable ASCII characters.
    #[error("an idempotency key is 1 to {MAX_COMMIT_ID_CHARS} printable ASCII characters")]
    Malformed,
    /// It is [`CommitId::NONE`].
    #[error(
        "`{}` is the commit id of changesets without a key: use another key",
        CommitId::NONE
    )]
    Reserved,
}

impl CommitId {
    /// The prefix of the ids that the store generates.
    pub const GENERATED_PREFIX: &str = "ees-";

    /// The commit id of changesets that were stored without one, in a table that was taken over.
    pub const NONE: &str = "ees-none";

    /// Makes a commit id from a valid text.
    ///
    /// # Errors
    /// [`CommitIdError::Malformed`] if it is not 1 to 255 printable ASCII characters.
    pub fn new(text: &str) -> Result<Self, CommitIdError> {
        let printable = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        if text.is_empty() || text.len() > MAX_COMMIT_ID_CHARS || !printable {
            return Err(CommitIdError::Malformed);
        }
        Ok(Self(text.into()))
    }

    /// Generates a unique id.
    pub fn generate() -> Self {
        Self(format!("{}{}", Self::GENERATED_PREFIX, Uuid::new_v4()).into())
    }

    /// Makes a commit id from the idempotency key of a client.
    ///
    /// # Errors
    /// [`CommitIdError`] as [`CommitId::new`], and [`CommitIdError::Reserved`] for
    /// [`CommitId::NONE`].
    pub fn of_client(text: &str) -> Result<Self, CommitIdError> {
        if text == Self::NONE {
            return Err(CommitIdError::Reserved);
        }
        Self::new(text)
    }

    /// Whether the id is a client's idempotency key, which belongs to its stream for ever (G10). Ids
    /// with the prefix [`CommitId::GENERATED_PREFIX`] are the store's own.
    pub fn is_clients(&self) -> bool {
        !self.0.starts_with(Self::GENERATED_PREFIX)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_id!(CommitId, CommitIdError);

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
    fn ids_pass_through_serde_as_texts() {
        let stream: StreamId = "a\"b".parse().unwrap();
        let json = serde_json::to_string(&stream).unwrap();
        assert_eq!(json, r#""a\"b""#);
        assert_eq!(serde_json::from_str::<StreamId>(&json).unwrap(), stream);
        let error = serde_json::from_str::<StreamId>(r#""""#).unwrap_err();
        assert!(error.to_string().contains("the stream id is empty"));
        assert!(serde_json::from_str::<CommitId>(r#""é""#).is_err());
        assert_eq!(StreamId::try_from("x".to_owned()).unwrap().as_ref(), "x");
    }

    #[test]
    fn a_commit_id_is_printable_ascii() {
        assert!(CommitId::new(&"k".repeat(255)).is_ok());
        assert!(CommitId::new(" ~").is_ok());
        for bad in ["", &"k".repeat(256), "é", "a\tb"] {
            assert_eq!(CommitId::new(bad), Err(CommitIdError::Malformed), "{bad:?}");
        }
        assert!(CommitId::new(CommitId::generate().as_str()).is_ok());
        assert!(CommitId::new(CommitId::NONE).is_ok());
        let reserved = CommitId::of_client(CommitId::NONE);
        assert_eq!(reserved, Err(CommitIdError::Reserved));
    }

    #[test]
    fn ids_with_the_prefix_are_the_stores_own() {
        for (key, clients) in [("k", true), ("ees", true), ("ees-", false), ("EES-1", true)] {
            assert_eq!(CommitId::new(key).unwrap().is_clients(), clients, "{key}");
        }
        assert!(!CommitId::generate().is_clients());
    }
}
