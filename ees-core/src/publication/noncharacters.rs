//! The characters that queues refuse.

/// JSON allows two characters inside strings that queues refuse. They are sent escaped, which is
/// the same JSON value.
pub(super) fn without_noncharacters(body: String) -> String {
    if body.contains(['\u{fffe}', '\u{ffff}']) {
        return body
            .replace('\u{fffe}', r"\ufffe")
            .replace('\u{ffff}', r"\uffff");
    }
    body
}
