//! Writes texts as JSON strings: payloads are long, and have few characters that must be escaped.

use memchr::memchr2;

/// Writes a text as `serde_json` does.
pub(crate) fn write(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    // Compilers turn this fold into one over many bytes at a time, but not a search that ends early.
    let least = bytes.iter().fold(u8::MAX, |least, byte| least.min(*byte));
    if least < b' ' {
        // Writing to memory does not fail.
        let _ = serde_json::to_writer(out, text);
        return;
    }
    out.reserve(bytes.len() + bytes.len() / 8 + 2);
    out.push(b'"');
    let mut rest = bytes;
    while let Some((clean, escaped)) =
        memchr2(b'"', b'\\', rest).and_then(|at| rest.split_at_checked(at))
    {
        out.extend_from_slice(clean);
        out.push(b'\\');
        let (byte, behind) = escaped.split_at(1);
        out.extend_from_slice(byte);
        rest = behind;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn strings_are_those_of_serde(text in r#"(\PC|["\\\n\t\x00-\x1f\x7f\u{2028}]){0,40}"#) {
            let mut written = Vec::new();
            super::write(&mut written, &text);
            prop_assert_eq!(String::from_utf8(written).unwrap(), serde_json::to_string(&text).unwrap());
        }
    }
}
