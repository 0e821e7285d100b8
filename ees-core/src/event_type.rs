//! The type of an event, and the distinct types of a changeset as a storage keeps them.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The member of an event that has its type.
const MEMBER: &str = "type";

/// The largest size of the kept types of a changeset, in bytes.
const MAX_BYTES: usize = 1024;

/// Separates the kept types of a changeset.
const SEPARATOR: char = '\n';

/// The type of an event: its top-level member `type`, if that is a string. The string is decoded. Of
/// several members with this name the last one counts.
pub(crate) fn event_type(event: &str) -> Option<Cow<'_, str>> {
    if !event.starts_with('{') {
        return None;
    }
    let Typed(found) = serde_json::from_str(event).ok()?;
    let text = found?.get().strip_prefix('"')?.strip_suffix('"')?;
    if text.contains('\\') {
        return serde_json::from_str(found?.get()).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(text))
}

/// Collects the distinct types of a changeset's events, in the form in which a storage keeps them:
/// sorted, one on each line. Changesets whose types do not fit that form are kept without them: with
/// more than [`MAX_BYTES`] of types, or a type that is empty or contains a line break or a NUL.
#[derive(Debug)]
pub(crate) struct TypesOf<'a> {
    types: Option<BTreeSet<Cow<'a, str>>>,
    bytes: usize,
}

impl<'a> TypesOf<'a> {
    pub(crate) fn new() -> Self {
        Self {
            types: Some(BTreeSet::new()),
            bytes: 0,
        }
    }

    pub(crate) fn add(&mut self, event: &'a str) {
        let Some(types) = &mut self.types else {
            return;
        };
        let Some(found) = event_type(event) else {
            return;
        };
        if types.contains(&found) {
            return;
        }
        self.bytes += found.len() + SEPARATOR.len_utf8();
        if self.bytes > MAX_BYTES || found.is_empty() || found.contains([SEPARATOR, '\0']) {
            self.types = None;
        } else {
            types.insert(found);
        }
    }

    /// The types; `None` if they do not fit the form.
    pub(crate) fn finish(self) -> Option<String> {
        let types: Vec<_> = self.types?.into_iter().collect();
        Some(types.join("\n"))
    }
}

/// The kept types of a changeset, one by one.
pub(crate) fn each(kept: &str) -> impl Iterator<Item = &str> {
    kept.split(SEPARATOR).filter(|found| !found.is_empty())
}

/// An object's last member `type`, as text.
struct Typed<'a>(Option<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Typed<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Typed<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(IsMember(is_type)) = map.next_key()? {
            if is_type {
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Typed(found))
    }
}

/// Whether a decoded name is [`MEMBER`].
struct IsMember(bool);

impl<'de> Deserialize<'de> for IsMember {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Name)
    }
}

struct Name;

impl Visitor<'_> for Name {
    type Value = IsMember;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<IsMember, E> {
        Ok(IsMember(name == MEMBER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_type_is_the_last_top_level_member_of_that_name() {
        for (event, expected) in [
            (r#"{"type":"paid"}"#, Some("paid")),
            (
                r#"{ "a" : [{"type":"x"}] , "type" : "paid" }"#,
                Some("paid"),
            ),
            (r#"{"type":"a","type":"b"}"#, Some("b")),
            (r#"{"type":"a","type":1}"#, None),
            (r#"{"type":1,"type":"a"}"#, Some("a")),
            (r#"{"ty\u0070e":"p\u0061id\n"}"#, Some("paid\n")),
            (r#"{"type":"\"\\"}"#, Some("\"\\")),
            (r#"{"type":""}"#, Some("")),
            (r#"{"type":null}"#, None),
            (r#"{"type":["paid"]}"#, None),
            (r#"{"type":{"type":"paid"}}"#, None),
            (r#"{"data":{"type":"paid"}}"#, None),
            (r#"{"Type":"paid"}"#, None),
            (r#"{"n":1E400,"type":"big"}"#, Some("big")),
            (r#"{"type":1E400}"#, None),
            (r#""type""#, None),
            (r#"["type","paid"]"#, None),
            ("{}", None),
        ] {
            assert_eq!(event_type(event).as_deref(), expected, "{event}");
        }
    }

    #[test]
    fn what_is_nested_deep_has_a_type() {
        let deep = format!(
            r#"{{"a":{}{},"type":"deep"}}"#,
            "[".repeat(10_000),
            "]".repeat(10_000)
        );
        assert_eq!(event_type(&deep).as_deref(), Some("deep"));
    }

    fn kept<'a>(events: impl IntoIterator<Item = &'a str>) -> Option<String> {
        let mut types = TypesOf::new();
        for event in events {
            types.add(event);
        }
        types.finish()
    }

    #[test]
    fn types_that_do_not_fit_are_not_kept() {
        assert_eq!(kept([]).as_deref(), Some(""));
        assert_eq!(kept(["1", "{}"]).as_deref(), Some(""));
        let events = [r#"{"type":"b"}"#, r#"{"type":"a"}"#, r#"{"type":"b"}"#];
        assert_eq!(kept(events).as_deref(), Some("a\nb"));
        for unfit in [
            r#"{"type":""}"#,
            r#"{"type":"a\nb"}"#,
            r#"{"type":"\u0000"}"#,
        ] {
            assert_eq!(kept([events[0], unfit, events[1]]), None, "{unfit}");
        }
        let of_size = |bytes: usize| format!(r#"{{"type":"{}"}}"#, "x".repeat(bytes));
        assert!(kept([of_size(MAX_BYTES - 1).as_str()]).is_some());
        assert!(kept([of_size(MAX_BYTES).as_str()]).is_none());
        let many: Vec<_> = (100..400).map(|n| format!(r#"{{"type":"{n}"}}"#)).collect();
        assert!(kept(many.iter().map(String::as_str)).is_none());
    }

    proptest! {
        /// The kept types are those of the events, as an independent reader finds them.
        #[test]
        fn kept_types_are_the_types_of_the_events(types in prop::collection::vec(
            prop_oneof![any::<String>(), "[a-c]{0,2}", Just("\"\\".to_owned())], 0..6,
        )) {
            let events: Vec<_> = types
                .iter()
                .map(|found| serde_json::json!({"a": [1], "type": found}).to_string())
                .collect();
            let kept = kept(events.iter().map(String::as_str));
            let distinct: BTreeSet<&str> = types.iter().map(String::as_str).collect();
            let fits = distinct.iter().all(|t| !t.is_empty() && !t.contains(['\n', '\0']));
            prop_assert!(kept.is_some() || !fits || types.concat().len() > 900);
            if let Some(kept) = kept {
                prop_assert_eq!(each(&kept).collect::<BTreeSet<_>>(), distinct);
            }
        }
    }
}
