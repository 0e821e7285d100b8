//! JSON that is kept byte for byte.
//!
//! A payload is checked once, when it is committed. Storages keep the text and readers get it, so big
//! integers, decimals, the order of members and escapes stay as they were sent.

mod error;
mod scan;

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

pub use error::{MAX_DEPTH, PayloadError};
pub(crate) use scan::Elements;
use scan::check;

use crate::event_type::{TypesOf, event_type};

/// A JSON value as text. Cheap to clone.
///
/// ```
/// use ees_core::Json;
/// let json = Json::parse(" 1.10 ")?;
/// assert_eq!(json.as_str(), "1.10");
/// # Ok::<(), ees_core::PayloadError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Json(Arc<str>);

impl Json {
    /// Checks a text, and keeps it without the white space around it.
    ///
    /// # Errors
    /// [`PayloadError`] if it is not JSON, nested too deep, or holds a lone surrogate.
    pub fn parse(text: &str) -> Result<Self, PayloadError> {
        Self::from_raw(serde_json::from_str(text)?)
    }

    /// Keeps a value that serde has already checked to be JSON.
    ///
    /// # Errors
    /// [`PayloadError`] if it is nested too deep or holds a lone surrogate.
    pub fn from_raw(raw: &RawValue) -> Result<Self, PayloadError> {
        check(raw.get(), MAX_DEPTH)?;
        Ok(Self(raw.get().into()))
    }

    /// Writes a value as JSON.
    ///
    /// # Errors
    /// [`PayloadError`] if it cannot be written as JSON or is nested too deep.
    pub fn of(value: &impl Serialize) -> Result<Self, PayloadError> {
        let raw = serde_json::value::to_raw_value(value)?;
        Self::from_raw(&raw)
    }

    /// Takes back the text of a value that was checked when it was committed.
    pub(crate) fn trusted(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value's type, if it is an event that has one: its top-level member `type`, if that is a
    /// string. Of several members with this name the last one counts.
    ///
    /// ```
    /// # use ees_core::Json;
    /// let event = Json::parse(r#"{"type": "paid", "cents": 5}"#)?;
    /// assert_eq!(event.event_type().as_deref(), Some("paid"));
    /// # Ok::<(), ees_core::PayloadError>(())
    /// ```
    pub fn event_type(&self) -> Option<Cow<'_, str>> {
        event_type(self.as_str())
    }
}

impl Default for Json {
    /// The empty object: the metadata of a changeset that was committed without any.
    fn default() -> Self {
        Self("{}".into())
    }
}

/// The events of a changeset: a JSON array of one value or more, as text. Cheap to clone.
///
/// ```
/// use ees_core::Events;
/// let events = Events::parse(r#"[{"type": "init"}, 2]"#)?;
/// assert_eq!(events.count(), 2);
/// assert_eq!(events.iter().next(), Some(r#"{"type": "init"}"#));
/// # Ok::<(), ees_core::PayloadError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Events {
    array: Arc<str>,
    count: u64,
    types: Types,
}

/// What is known of the types of the events.
#[derive(Debug, Clone)]
enum Types {
    /// They were found when the array was checked; `None` if they cannot be kept.
    Found(Option<Arc<str>>),
    /// The array was read from a storage.
    Unknown,
}

impl Events {
    /// Checks a text, and keeps it without the white space around it.
    ///
    /// # Errors
    /// [`PayloadError`] if it is not a JSON array of at least one value, an event is nested too
    /// deep, or a string holds a lone surrogate.
    pub fn parse(text: &str) -> Result<Self, PayloadError> {
        Self::from_raw(serde_json::from_str(text)?)
    }

    /// Keeps an array that serde has already checked to be JSON.
    ///
    /// # Errors
    /// As [`Events::parse`].
    pub fn from_raw(raw: &RawValue) -> Result<Self, PayloadError> {
        let array = raw.get();
        if !array.starts_with('[') {
            return Err(PayloadError::NotAnArray);
        }
        check(array, MAX_DEPTH + 1)?;
        let (mut count, mut types) = (0, TypesOf::new());
        for event in Elements::of(array) {
            count += 1;
            types.add(event);
        }
        if count == 0 {
            return Err(PayloadError::NoEvents);
        }
        Ok(Self {
            array: array.into(),
            count,
            types: Types::Found(types.finish().map(Into::into)),
        })
    }

    /// Writes values as JSON, one event each.
    ///
    /// # Errors
    /// As [`Events::parse`], or a value cannot be written as JSON.
    pub fn of(values: &[impl Serialize]) -> Result<Self, PayloadError> {
        let raw = serde_json::value::to_raw_value(values)?;
        Self::from_raw(&raw)
    }

    /// Takes back the text of an array that was checked when it was committed, and the number of
    /// its values.
    pub(crate) fn trusted(array: impl Into<Arc<str>>, count: u64) -> Self {
        Self {
            array: array.into(),
            count,
            types: Types::Unknown,
        }
    }

    /// The JSON array as text.
    pub fn as_str(&self) -> &str {
        &self.array
    }

    /// The number of events: at least one, except in changesets that another program wrote.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The events one by one, each with its text in the array. The iterator locates an event when
    /// it reaches it, so reading a few of many events costs no memory for the others.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        Elements::of(&self.array)
    }

    /// The events from where so many bytes were left; all without it.
    pub(crate) fn elements(&self, left: Option<usize>) -> Elements<'_> {
        match left {
            Some(left) => Elements::at(&self.array, left),
            None => Elements::of(&self.array),
        }
    }

    /// The distinct types of the events, as a text that a storage keeps beside the payload and gives
    /// to [`Filter::matches_types`](crate::Filter::matches_types). `None` if they do not fit into a
    /// kilobyte, or if one is empty or contains a line break or a NUL: the payload then has to be
    /// read.
    pub fn types(&self) -> Option<Arc<str>> {
        if let Types::Found(types) = &self.types {
            return types.clone();
        }
        let mut types = TypesOf::new();
        self.iter().for_each(|event| types.add(event));
        types.finish().map(Into::into)
    }
}

/// Events are equal if their texts are: the rest follows from the text.
impl PartialEq for Events {
    fn eq(&self, other: &Self) -> bool {
        self.array == other.array && self.count == other.count
    }
}

impl Eq for Events {}

impl Hash for Events {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.array.hash(state);
        self.count.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn nested(levels: usize) -> String {
        format!("{}{}", "[".repeat(levels), "]".repeat(levels))
    }

    #[test]
    fn values_keep_their_bytes() {
        for text in [
            "null",
            "1E400",
            "123456789012345678901234567890",
            r#"{"b":1,"a":1.0,"b":2}"#,
            r#""\u00e9\/\ud83d\ude00""#,
        ] {
            assert_eq!(Json::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn an_event_and_metadata_may_have_100_levels() {
        assert!(Json::parse(&nested(100)).is_ok());
        assert!(matches!(
            Json::parse(&nested(101)),
            Err(PayloadError::TooDeep)
        ));
        assert!(Events::parse(&format!("[{},{}]", nested(100), nested(100))).is_ok());
        let deep = Events::parse(&format!("[1,{}]", nested(101)));
        assert!(matches!(deep, Err(PayloadError::TooDeep)));
        assert!(Json::parse(&format!("\"{}\"", "[".repeat(200))).is_ok());
    }

    #[test]
    fn lone_surrogates_are_refused() {
        for good in [
            r#""\ud83d\ude00""#,
            r#""\\ud83d""#,
            r#""\uD7FF\uE000""#,
            r#""\\\ud83d\ude00""#,
        ] {
            assert!(Json::parse(good).is_ok(), "{good}");
        }
        for bad in [
            r#""\ud83d""#,
            r#""\ude00""#,
            r#""\ud83d\ud83d\ude00""#,
            r#""\ud83dx\ude00""#,
            r#"{"\uDC00":1}"#,
            r#""\\\ud83d""#,
            r#""é\ud83d""#,
            r#""\ud83dé""#,
        ] {
            let error = Json::parse(bad).unwrap_err();
            assert!(matches!(error, PayloadError::LoneSurrogate(_)), "{bad}");
        }
    }

    #[test]
    fn events_are_an_array_of_one_or_more() {
        assert!(matches!(Events::parse("{}"), Err(PayloadError::NotAnArray)));
        assert!(matches!(
            Events::parse(" [ ] "),
            Err(PayloadError::NoEvents)
        ));
        assert!(matches!(
            Events::parse("[1,]"),
            Err(PayloadError::NotJson(_))
        ));
        let events = Events::parse("[ null , [ ] ]").unwrap();
        assert_eq!(events.as_str(), "[ null , [ ] ]");
        assert_eq!(events.count(), 2);
        assert_eq!(events.iter().collect::<Vec<_>>(), ["null", "[ ]"]);
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            any::<i64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into)
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                prop::collection::hash_map(any::<String>(), inner, 0..4)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_text_as_a_json_string_is_accepted_verbatim(text: String) {
            let json = serde_json::to_string(&text).unwrap();
            let kept = Json::parse(&json).unwrap();
            prop_assert_eq!(kept.as_str(), json);
        }

        /// The elements are those that serde finds, with any white space.
        #[test]
        fn events_are_told_apart(values in prop::collection::vec(json(), 1..6), pretty: bool) {
            let array = if pretty {
                serde_json::to_string_pretty(&values).unwrap()
            } else {
                serde_json::to_string(&values).unwrap()
            };
            let events = Events::parse(&array).unwrap();
            let expected: Vec<&RawValue> = serde_json::from_str(&array).unwrap();
            prop_assert_eq!(events.count(), expected.len() as u64);
            let expected: Vec<&str> = expected.into_iter().map(RawValue::get).collect();
            prop_assert_eq!(events.iter().collect::<Vec<_>>(), expected);
        }
    }
}
