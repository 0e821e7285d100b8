//! Positions in the global order.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::from_text::from_text;
use crate::number::{number, parse_number};

number! {
    /// A changeset's position in the global order of all streams: 0, 1, 2 ... without a gap.
    ///
    /// A reader's checkpoint is the position of the next changeset it wants.
    Checkpoint, "a checkpoint", from 0
}

impl Checkpoint {
    /// The position `count` after this one, limited to 2^63 - 1.
    #[must_use]
    pub fn plus(self, count: u64) -> Self {
        Self(self.0.saturating_add(count).min(crate::number::MAX_ID))
    }
}

/// An event's position in the global order, written `c.i`: its changeset's checkpoint and its
/// 0-based index among the changeset's events. `c` alone means `c.0`.
///
/// ```
/// use ees_core::EventCheckpoint;
/// let position: EventCheckpoint = "7".parse()?;
/// assert_eq!(position.to_string(), "7.0");
/// # Ok::<(), ees_core::EventCheckpointError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventCheckpoint {
    /// The changeset's position.
    pub changeset: Checkpoint,
    /// The event's index in its changeset, from 0.
    pub index: u64,
}

/// The text is not of the form `c` or `c.i`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event checkpoint is `c` or `c.i`, two integers from 0 to 2^63 - 1")]
pub struct EventCheckpointError;

impl From<Checkpoint> for EventCheckpoint {
    fn from(changeset: Checkpoint) -> Self {
        Self {
            changeset,
            index: 0,
        }
    }
}

impl fmt::Display for EventCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.changeset, self.index)
    }
}

impl Serialize for EventCheckpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventCheckpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer)
    }
}

impl FromStr for EventCheckpoint {
    type Err = EventCheckpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (changeset, index) = text.split_once('.').unwrap_or((text, "0"));
        Ok(Self {
            changeset: parse_number(changeset)
                .and_then(|number| Checkpoint::new(number).ok())
                .ok_or(EventCheckpointError)?,
            index: parse_number(index).ok_or(EventCheckpointError)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::MAX_ID;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_event_checkpoint_reads_what_it_writes(c in 0..=MAX_ID, index in 0..=MAX_ID) {
            let position = EventCheckpoint { changeset: Checkpoint::new(c).unwrap(), index };
            prop_assert_eq!(position.to_string().parse(), Ok(position));
        }
    }

    #[test]
    fn the_order_ends_at_the_largest_position() {
        let last = Checkpoint::new(MAX_ID).unwrap();
        assert_eq!(last.plus(1), last);
    }

    #[test]
    fn an_event_checkpoint_is_one_or_two_numbers() {
        for bad in ["", ".", "1.", ".1", "1.2.3", "head"] {
            assert!(bad.parse::<EventCheckpoint>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_checkpoint_passes_through_serde() {
        let position: EventCheckpoint = "7.2".parse().unwrap();
        assert_eq!(serde_json::to_string(&position).unwrap(), r#""7.2""#);
        assert_eq!(
            serde_json::from_str::<EventCheckpoint>(r#""7.2""#).unwrap(),
            position
        );
        assert_eq!(serde_json::to_string(&position.changeset).unwrap(), "7");
    }
}
