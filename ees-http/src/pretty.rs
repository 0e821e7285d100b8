//! White space between tokens, and nothing else: payloads keep their bytes.

const INDENT: usize = 4;

/// Lays JSON out over lines, beginning at a level of nesting; `None` if that would take more than
/// `limit` bytes, as deep nesting may make it hundreds of times longer.
pub fn pretty(json: &[u8], level: usize, limit: usize) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(json.len().saturating_mul(2).min(limit));
    let mut level = level;
    let mut opened = false;
    for token in (Tokens { json, at: 0 }) {
        let closes = matches!(token, b"]" | b"}");
        if closes {
            level = level.saturating_sub(1);
        }
        if opened != closes {
            new_line(&mut out, level);
        }
        opened = false;
        out.extend_from_slice(token);
        match token {
            b"[" | b"{" => {
                level += 1;
                opened = true;
            }
            b":" => out.push(b' '),
            b"," => new_line(&mut out, level),
            _ => {}
        }
        if out.len() > limit {
            return None;
        }
    }
    Some(out)
}

fn new_line(out: &mut Vec<u8>, level: usize) {
    out.push(b'\n');
    out.resize(out.len() + level * INDENT, b' ');
}

/// The tokens of a valid JSON text.
struct Tokens<'a> {
    json: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.json.get(self.at..)?;
        let blank = rest.iter().take_while(|byte| is_blank(**byte)).count();
        let rest = rest.get(blank..)?;
        let length = match rest.first()? {
            b'[' | b']' | b'{' | b'}' | b',' | b':' => 1,
            b'"' => string_length(rest),
            _ => rest.iter().take_while(|byte| !ends_scalar(**byte)).count(),
        };
        self.at += blank + length;
        rest.get(..length)
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

fn ends_scalar(byte: u8) -> bool {
    is_blank(byte) || matches!(byte, b',' | b']' | b'}' | b':' | b'[' | b'{' | b'"')
}

/// A string with its quotes.
fn string_length(json: &[u8]) -> usize {
    let mut escaped = false;
    let end = json.iter().skip(1).position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    end.map_or(json.len(), |end| end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lay_out(json: &str) -> String {
        String::from_utf8(pretty(json.as_bytes(), 0, usize::MAX).unwrap()).unwrap()
    }

    #[test]
    fn tokens_stand_on_lines() {
        assert_eq!(
            lay_out(r#"{"a":[1,{"b":"x, \"y\" {"}],"c":[ ],"d":{}}"#),
            "{\n    \"a\": [\n        1,\n        {\n            \"b\": \"x, \\\"y\\\" {\"\n        }\n    ],\n    \"c\": [],\n    \"d\": {}\n}"
        );
        assert_eq!(lay_out(" 1E400 "), "1E400");
    }

    #[test]
    fn what_grows_too_long_is_left_alone() {
        let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
        assert!(pretty(deep.as_bytes(), 0, 30_000).is_none());
        assert!(pretty(deep.as_bytes(), 0, 60_000).is_some());
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                prop::collection::hash_map(any::<String>(), inner, 0..4)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// The same layout as a well-known printer's, and the same value.
        #[test]
        fn only_white_space_changes(value in json()) {
            let mut expected = Vec::new();
            let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
            let mut serializer = serde_json::Serializer::with_formatter(&mut expected, formatter);
            serde::Serialize::serialize(&value, &mut serializer).unwrap();
            let compact = serde_json::to_vec(&value).unwrap();
            prop_assert_eq!(pretty(&compact, 0, usize::MAX).unwrap(), expected.clone());
            prop_assert_eq!(pretty(&expected, 0, usize::MAX).unwrap(), expected);
        }
    }
}
