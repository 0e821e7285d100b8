//! What `serde_json` says about a JSON text. The code shares nothing with the scanner of ees-core.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The limits of the store that a JSON value breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Broken {
    /// The value is nested deeper than allowed. What is below the limit was not looked at.
    pub(crate) depth: bool,
    /// A string or a key has an escape that is no Unicode text.
    pub(crate) surrogate: bool,
}

impl Broken {
    pub(crate) fn any(self) -> bool {
        self.depth || self.surrogate
    }

    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            depth: self.depth || other.depth,
            surrogate: self.surrogate || other.surrogate,
        }
    }
}

/// The limits that a value breaks if it may have so many levels.
pub(crate) fn judge(value: &RawValue, levels: usize) -> Broken {
    let text = value.get();
    match text.as_bytes().first() {
        Some(b'"') => Broken {
            surrogate: serde_json::from_str::<String>(text).is_err(),
            depth: false,
        },
        Some(b'[' | b'{') if levels == 0 => Broken {
            depth: true,
            surrogate: false,
        },
        Some(b'[') => judge_all(&elements(text), levels - 1),
        Some(b'{') => match serde_json::from_str::<Members>(text) {
            Ok(Members { keys, values }) => {
                judge_all(&keys, levels - 1).or(judge_all(&values, levels - 1))
            }
            Err(error) => panic!("serde_json took {text} and now says: {error}"),
        },
        _ => Broken::default(),
    }
}

fn judge_all(values: &[&RawValue], levels: usize) -> Broken {
    let judged = values.iter().map(|value| judge(value, levels));
    judged.fold(Broken::default(), Broken::or)
}

/// The elements of an array that `serde_json` has taken.
pub(crate) fn elements(array: &str) -> Vec<&RawValue> {
    match serde_json::from_str(array) {
        Ok(elements) => elements,
        Err(error) => panic!("serde_json took {array} and now says: {error}"),
    }
}

/// The keys and the values of an object, also where a key is there twice.
struct Members<'a> {
    keys: Vec<&'a RawValue>,
    values: Vec<&'a RawValue>,
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        while let Some((key, value)) = map.next_entry()? {
            keys.push(key);
            values.push(value);
        }
        Ok(Members { keys, values })
    }
}
