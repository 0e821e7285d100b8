//! What defines a consumer.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Checkpoint, Filter, StreamId};

/// The most partitions of a consumer.
pub const MAX_PARTITIONS: u16 = 64;

/// The longest name of a consumer, in characters.
const MAX_NAME: usize = 64;

/// The largest filter, in bytes of all its prefixes and types.
const MAX_FILTER_BYTES: usize = 16 * 1024;

/// The most pauses between the tries of a parked stream.
const MAX_RETRIES: usize = 20;

/// The longest pause between two tries of a parked stream: 30 days.
const MAX_RETRY_SECONDS: u64 = 30 * 24 * 3600;

/// The name of a consumer: 1 to 64 ASCII letters, digits, dots, underscores and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ConsumerName(String);

/// The text is not the name of a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name of a consumer is 1 to 64 ASCII letters, digits, `.`, `_` and `-`")]
pub struct ConsumerNameError;

impl ConsumerName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ConsumerName {
    type Err = ConsumerNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if text.is_empty() || text.len() > MAX_NAME || !text.bytes().all(fits) {
            return Err(ConsumerNameError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for ConsumerName {
    type Error = ConsumerNameError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ConsumerName> for String {
    fn from(name: ConsumerName) -> Self {
        name.0
    }
}

impl fmt::Display for ConsumerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a new consumer begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum StartAt {
    /// At a position of the global order.
    Checkpoint(Checkpoint),
    /// At the end of the global order, when the consumer is defined.
    Head(Head),
}

/// The word `head`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Head {
    /// The end of the global order.
    Head,
}

impl StartAt {
    /// At the end of the global order, when the consumer is defined.
    pub const HEAD: Self = Self::Head(Head::Head);
}

/// What a changeset does that a consumer cannot handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// It parks its stream. The other streams of the partition go on.
    #[default]
    Park,
    /// It stops its partition, until it is handled or skipped.
    Stop,
}

/// What defines a consumer.
///
/// ```
/// use ees_core::consumer::ConsumerDefinition;
/// let definition = ConsumerDefinition {
///     partitions: 8,
///     ..ConsumerDefinition::default()
/// };
/// assert_eq!(definition.check(), Ok(()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsumerDefinition {
    /// Where it begins.
    pub from: StartAt,
    /// The streams that it gets: those whose id has one of these prefixes; all if there is none.
    pub stream_prefixes: Vec<String>,
    /// The changesets that it gets: those with an event of one of these types; all if there is none.
    pub event_types: Vec<String>,
    /// The number of partitions: as many workers can work at the same time.
    pub partitions: u16,
    /// How long a worker has a batch before another worker may take its partition over.
    pub lease_seconds: u64,
    /// The pauses before each try of a parked stream. After the last it waits for an operator.
    pub retry_seconds: Vec<u64>,
    /// What a changeset does that cannot be handled.
    pub on_failure: OnFailure,
}

impl Default for ConsumerDefinition {
    fn default() -> Self {
        Self {
            from: StartAt::Checkpoint(Checkpoint::FIRST),
            stream_prefixes: Vec::new(),
            event_types: Vec::new(),
            partitions: 1,
            lease_seconds: 30,
            retry_seconds: vec![1, 5, 30, 120],
            on_failure: OnFailure::Park,
        }
    }
}

/// A definition breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}`: expected {expected}")]
pub struct DefinitionError {
    /// The member that breaks the rule.
    pub field: &'static str,
    /// What it has to be.
    pub expected: &'static str,
}

impl ConsumerDefinition {
    /// Checks the rules of a definition.
    ///
    /// # Errors
    /// [`DefinitionError`] names the first member that breaks a rule.
    pub fn check(&self) -> Result<(), DefinitionError> {
        let texts = || self.stream_prefixes.iter().chain(&self.event_types);
        let pauses = &self.retry_seconds;
        let rules = [
            (
                (1..=MAX_PARTITIONS).contains(&self.partitions),
                "partitions",
                "an integer from 1 to 64",
            ),
            (
                (5..=3600).contains(&self.lease_seconds),
                "lease_seconds",
                "an integer from 5 to 3600",
            ),
            (
                pauses.len() <= MAX_RETRIES && pauses.iter().all(|s| *s <= MAX_RETRY_SECONDS),
                "retry_seconds",
                "at most 20 integers from 0 to 2592000",
            ),
            (
                texts().all(|text| !text.is_empty()),
                "stream_prefixes` and `event_types",
                "texts that are not empty",
            ),
            (
                texts().count() <= 1000
                    && texts().map(String::len).sum::<usize>() <= MAX_FILTER_BYTES,
                "stream_prefixes` and `event_types",
                "at most 1000 texts, with 16384 bytes together",
            ),
        ];
        let broken = rules.into_iter().find(|(holds, ..)| !holds);
        broken.map_or(Ok(()), |(_, field, expected)| {
            Err(DefinitionError { field, expected })
        })
    }

    /// The filter that the definition describes.
    pub fn filter(&self) -> Filter {
        let prefixes = self.stream_prefixes.iter();
        let filter = prefixes.fold(Filter::default(), Filter::stream_prefix);
        self.event_types.iter().fold(filter, Filter::event_type)
    }

    /// How long a worker has a batch.
    pub fn lease(&self) -> Duration {
        Duration::from_secs(self.lease_seconds)
    }
}

/// The partition that a stream belongs to, of so many.
///
/// It is the first 8 bytes of the SHA-256 of the stream id's UTF-8, as an unsigned big-endian number,
/// modulo the number of partitions.
pub fn partition_of(stream_id: &StreamId, partitions: u16) -> u16 {
    let digest = Sha256::digest(stream_id.as_str());
    let first = digest.iter().take(8);
    let number = first.fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    u16::try_from(number % u64::from(partitions.max(1))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_1_to_64_characters_of_a_few_kinds() {
        for good in ["a", "A.b_c-9", &"x".repeat(64)] {
            assert!(good.parse::<ConsumerName>().is_ok(), "{good}");
        }
        for bad in ["", "a b", "a/b", "é", "a%", &"x".repeat(65)] {
            assert_eq!(bad.parse::<ConsumerName>(), Err(ConsumerNameError), "{bad}");
        }
    }

    #[test]
    fn a_partition_is_the_digest_modulo_their_number() {
        // sha256("order-17") begins with these bytes.
        let digest = Sha256::digest("order-17");
        let number = u64::from_be_bytes(digest[..8].try_into().unwrap());
        let stream = "order-17".parse().unwrap();
        for partitions in [1, 2, 7, 64] {
            let expected = u16::try_from(number % u64::from(partitions)).unwrap();
            assert_eq!(partition_of(&stream, partitions), expected);
        }
    }

    #[test]
    fn an_empty_object_is_the_default() {
        let definition: ConsumerDefinition = serde_json::from_str("{}").unwrap();
        assert_eq!(definition, ConsumerDefinition::default());
        let head: ConsumerDefinition = serde_json::from_str(r#"{"from":"head"}"#).unwrap();
        assert_eq!(head.from, StartAt::HEAD);
        assert_eq!(serde_json::to_string(&head.from).unwrap(), r#""head""#);
        for bad in [r#"{"from":"tail"}"#, r#"{"from":-1}"#, r#"{"partition":2}"#] {
            assert!(
                serde_json::from_str::<ConsumerDefinition>(bad).is_err(),
                "{bad}"
            );
        }
    }

    #[test]
    fn each_rule_of_a_definition_is_checked() {
        let broken = |change: &dyn Fn(&mut ConsumerDefinition)| {
            let mut definition = ConsumerDefinition::default();
            change(&mut definition);
            definition.check().map_err(|error| error.field)
        };
        assert_eq!(broken(&|_| ()), Ok(()));
        assert_eq!(broken(&|d| d.partitions = 0), Err("partitions"));
        assert_eq!(broken(&|d| d.partitions = 10_000), Err("partitions"));
        assert_eq!(broken(&|d| d.lease_seconds = 4), Err("lease_seconds"));
        assert_eq!(broken(&|d| d.lease_seconds = 3601), Err("lease_seconds"));
        assert_eq!(
            broken(&|d| d.retry_seconds = vec![1; 21]),
            Err("retry_seconds")
        );
        let texts = "stream_prefixes` and `event_types";
        assert_eq!(broken(&|d| d.event_types = vec![String::new()]), Err(texts));
        assert_eq!(
            broken(&|d| d.event_types = vec!["x".repeat(16385)]),
            Err(texts)
        );
    }
}
