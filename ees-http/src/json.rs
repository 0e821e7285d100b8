//! Writing JSON, with payloads copied byte for byte.

use std::io;

use ees_core::{Events, Json};
use serde::{Serialize, Serializer};
use serde_json::ser::Formatter;

/// JSON text that goes into an answer unchanged.
///
/// It can only be made of values that are valid JSON by construction. `serde_json::value::RawValue`
/// would have to parse the text again. Instead, the text is serialised as bytes, and [`to_json`]
/// copies bytes to the output. No other field of an answer may be serialised as bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Raw<'a>(&'a str);

impl Raw<'_> {
    pub(crate) const EMPTY_ARRAY: Self = Self("[]");
}

impl<'a> From<&'a Json> for Raw<'a> {
    fn from(json: &'a Json) -> Self {
        Self(json.as_str())
    }
}

impl<'a> From<&'a Events> for Raw<'a> {
    fn from(events: &'a Events) -> Self {
        Self(events.as_str())
    }
}

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0.as_bytes())
    }
}

/// Writes bytes verbatim; otherwise as `serde_json` does.
struct Verbatim;

impl Formatter for Verbatim {
    fn write_byte_array<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        value: &[u8],
    ) -> io::Result<()> {
        writer.write_all(value)
    }
}

/// Writes an answer. The types of the answers cannot fail to serialise.
pub(crate) fn to_json(answer: &impl Serialize) -> Vec<u8> {
    let mut json = Vec::new();
    append(&mut json, answer);
    json
}

/// Appends an answer, or a part of one.
pub(crate) fn append(json: &mut Vec<u8>, value: &impl Serialize) {
    let mut serializer = serde_json::Serializer::with_formatter(json, Verbatim);
    let written = value.serialize(&mut serializer);
    debug_assert!(written.is_ok(), "an answer of plain fields serialises");
}

/// A JSON array that grows item by item.
#[derive(Debug)]
pub(crate) struct ArrayWriter {
    json: Vec<u8>,
    /// The length without the last item.
    before_last: usize,
}

impl ArrayWriter {
    pub(crate) fn new() -> Self {
        Self {
            json: vec![b'['],
            before_last: 1,
        }
    }

    /// Appends an item and returns its JSON.
    pub(crate) fn push(&mut self, item: &impl Serialize) -> &[u8] {
        self.before_last = self.json.len();
        if self.json.len() > 1 {
            self.json.push(b',');
        }
        let begin = self.json.len();
        append(&mut self.json, item);
        self.json.get(begin..).unwrap_or_default()
    }

    /// Removes the item that was appended last.
    pub(crate) fn undo(&mut self) {
        self.json.truncate(self.before_last);
    }

    /// Closes the array.
    pub(crate) fn finish(mut self) -> JsonArray {
        self.json.push(b']');
        // Items are made of strings, so this cannot fail.
        JsonArray(String::from_utf8(self.json).unwrap_or_default())
    }
}

/// A complete JSON array.
#[derive(Debug)]
pub(crate) struct JsonArray(String);

impl JsonArray {
    pub(crate) fn raw(&self) -> Raw<'_> {
        Raw(&self.0)
    }

    #[cfg(test)]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}
