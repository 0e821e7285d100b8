//! Cuts pages where the whole body would pass the limit.

use ees_core::{Direction, MAX_PAGE_BYTES, Page};
use serde::Serialize;

use crate::answer::{Raw, to_json, write_json};
use crate::pretty::pretty;

/// How deep a page's items stand in its body.
const ITEM_LEVEL: usize = 2;

/// A body of [`MAX_PAGE_BYTES`] may have this many times as many bytes where it is handed on inside
/// a string of JSON, with its quotes escaped: as a fraction. A Lambda function answers so, and at
/// most 6 MB.
const AS_STRING: (usize, usize) = (7, 5);

/// The items of a page that fit into one body, and how many.
pub(crate) struct Items {
    array: String,
    /// How many of the items handed in are there.
    pub(crate) taken: usize,
}

impl Items {
    /// Writes items until the body, with a frame of so many bytes around them, would pass the
    /// limit; at least one.
    pub(crate) fn fill<T: Serialize>(
        items: impl Iterator<Item = T>,
        frame_bytes: usize,
        is_pretty: bool,
    ) -> Self {
        let mut room = MAX_PAGE_BYTES.saturating_sub(frame_bytes);
        let mut array = vec![b'['];
        let mut taken = 0;
        for item in items {
            let end = array.len();
            if taken > 0 {
                array.push(b',');
            }
            let begin = array.len();
            write_json(&mut array, &item);
            let written = array.get(begin..).unwrap_or_default();
            let left = size(written, is_pretty, room).and_then(|size| room.checked_sub(size + 1));
            match left {
                Some(left) => room = left,
                None if taken == 0 => room = 0,
                None => {
                    array.truncate(end);
                    break;
                }
            }
            taken += 1;
        }
        array.push(b']');
        // Items are made of strings, so this cannot fail.
        let array = String::from_utf8(array).unwrap_or_default();
        Self { array, taken }
    }

    /// The items as a JSON array.
    pub(crate) fn raw(&self) -> Raw<'_> {
        Raw(&self.array)
    }
}

/// Where the next page of a stream begins, if anything remains behind the items that were taken.
pub(crate) fn next<T>(
    page: &Page<T>,
    taken: usize,
    direction: Direction,
    id: impl Fn(&T) -> u64,
) -> Option<u64> {
    let last = page.items.get(..taken)?.last()?;
    let more = page.more || taken < page.items.len();
    more.then(|| match direction {
        Direction::Forward => id(last) + 1,
        Direction::Backward => id(last) - 1,
    })
}

/// How many bytes a frame takes without its items.
pub(crate) fn frame_bytes(frame: &impl Serialize, is_pretty: bool) -> usize {
    let frame = to_json(frame);
    size(&frame, is_pretty, MAX_PAGE_BYTES).unwrap_or(MAX_PAGE_BYTES)
}

/// How many bytes JSON takes in the body; `None` if far more than there is room for.
fn size(json: &[u8], is_pretty: bool, room: usize) -> Option<usize> {
    if !is_pretty {
        return Some(weight(json));
    }
    // The line that the item begins on.
    let line = 1 + 4 * ITEM_LEVEL;
    Some(weight(&pretty(json, ITEM_LEVEL, room)?) + line)
}

/// What JSON takes of the limit: its bytes, or what they come to inside a string.
fn weight(json: &[u8]) -> usize {
    let is_escaped = |byte: &&u8| matches!(byte, b'"' | b'\\' | b'\n');
    let escaped = json.len() + json.iter().filter(is_escaped).count();
    json.len().max(escaped * AS_STRING.1 / AS_STRING.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_ends_before_the_body_passes_the_limit() {
        let text = "x".repeat(1022);
        let items = Items::fill(std::iter::repeat(&text), 1, false);
        // [ and ] are the frame's; each item has its quotes and a comma.
        assert_eq!(items.taken, (MAX_PAGE_BYTES - 1) / 1025);
        assert!(items.array.len() <= MAX_PAGE_BYTES);
    }

    #[test]
    fn a_page_holds_one_item_at_least() {
        let text = "x".repeat(MAX_PAGE_BYTES);
        let items = Items::fill([&text, &text].into_iter(), 10, false);
        assert_eq!(items.taken, 1);
        let none = Items::fill(std::iter::empty::<u8>(), 10, false);
        assert_eq!((none.taken, none.array.as_str()), (0, "[]"));
    }

    #[test]
    fn a_page_stays_under_6_mb_inside_a_string() {
        for (text, is_pretty) in [("\\\"", false), ("", true)] {
            let item = vec![text; 1000];
            let items = Items::fill(std::iter::repeat(&item), 1000, is_pretty);
            let body = format!("{{\"items\":{}}}", items.array);
            let body = if is_pretty {
                String::from_utf8(pretty(body.as_bytes(), 0, usize::MAX).unwrap()).unwrap()
            } else {
                body
            };
            let bytes = serde_json::to_string(&body).unwrap().len();
            assert!(
                (4_900_000..6_000_000).contains(&bytes),
                "{bytes} bytes of {text:?}"
            );
        }
    }

    #[test]
    fn white_space_counts() {
        let plain = Items::fill(std::iter::repeat([[1]]), 0, false);
        let spaced = Items::fill(std::iter::repeat([[1]]), 0, true);
        assert!(spaced.taken < plain.taken / 5);
        let body = pretty(
            format!("{{\"a\":{}}}", spaced.array).as_bytes(),
            0,
            usize::MAX,
        );
        let size = body.unwrap().len();
        assert!(
            (MAX_PAGE_BYTES - 100..MAX_PAGE_BYTES + 20).contains(&size),
            "{size}"
        );
    }
}
