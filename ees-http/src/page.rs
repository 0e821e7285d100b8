//! Cuts a page so that its body stays within the limit in bytes on the wire.
//!
//! The core cuts pages by their payloads, before their size on the wire is known. [`write_page`]
//! cuts them again if names, numbers, white space and escapes around the payloads make the body too
//! large. Nothing else in this crate does so.

use ees_core::{Direction, MAX_PAGE_BYTES, Page};
use serde::Serialize;

use crate::json::{ArrayWriter, JsonArray, Raw};
use crate::pretty::pretty;

/// How deep a page's items are nested in its body.
const ITEM_LEVEL: usize = 2;

/// The line break at the end of an answer, also where it is embedded in a JSON string.
const LINE_END_BYTES: usize = 2;

/// How a body is laid out, and how large it may become.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    /// Whether the body has line breaks and indentation.
    pub(crate) is_pretty: bool,
    /// See [`Options::embedded_body_percent`](crate::options::Options::embedded_body_percent).
    pub(crate) embedded_percent: usize,
}

/// Writes the body of a page with as many of the items as fit into it, at least one.
///
/// `body` writes the body around an array of items, with the start of the next page. `next` finds
/// that start, given the number of items that fit. Until that number is known, the size is computed
/// with `longest_next`, the longest start in bytes.
pub(crate) fn write_page<T: Serialize, N>(
    layout: Layout,
    items: impl Iterator<Item = T>,
    longest_next: N,
    next: impl FnOnce(usize) -> N,
    body: impl Fn(Raw<'_>, N) -> Vec<u8>,
) -> Vec<u8> {
    let frame = body(Raw::EMPTY_ARRAY, longest_next);
    let frame_bytes = layout.size(&frame, MAX_PAGE_BYTES);
    let frame_bytes = frame_bytes.map_or(MAX_PAGE_BYTES, |bytes| bytes + LINE_END_BYTES);
    let room = MAX_PAGE_BYTES.saturating_sub(frame_bytes);
    let (array, taken) = fill(layout, items, room);
    body(array.raw(), next(taken))
}

/// Where the next page of a stream begins, if anything remains after the items that were taken.
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

/// Writes as many items as fit into `room` bytes, at least one, and counts them.
fn fill<T: Serialize>(
    layout: Layout,
    items: impl Iterator<Item = T>,
    mut room: usize,
) -> (JsonArray, usize) {
    let mut array = ArrayWriter::new();
    let mut taken = 0;
    for item in items {
        let size = layout.size(array.push(&item), room);
        match size.and_then(|size| room.checked_sub(size + 1)) {
            Some(left) => room = left,
            None if taken == 0 => room = 0,
            None => {
                array.undo();
                break;
            }
        }
        taken += 1;
    }
    (array.finish(), taken)
}

impl Layout {
    /// The bytes of the limit that JSON takes in the body; `None` if far more than `room`.
    fn size(self, json: &[u8], room: usize) -> Option<usize> {
        if !self.is_pretty {
            return Some(self.weight(json));
        }
        // The line that the item begins on.
        let line = 1 + 4 * ITEM_LEVEL;
        Some(self.weight(&pretty(json, ITEM_LEVEL, room)?) + line)
    }

    /// What JSON takes of the limit: its bytes, or its share of an embedded body, if that is more.
    fn weight(self, json: &[u8]) -> usize {
        // Counted in bytes, which processors add many at a time.
        let is_escaped = |byte: &u8| u8::from(matches!(byte, b'"' | b'\\' | b'\n'));
        let escaped = json
            .chunks(255)
            .map(|part| part.iter().map(is_escaped).sum::<u8>());
        let embedded = json.len() + escaped.map(usize::from).sum::<usize>();
        let share = embedded * 100 / self.embedded_percent.max(1);
        json.len().max(share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Layout = Layout {
        is_pretty: false,
        embedded_percent: 140,
    };
    const PRETTY: Layout = Layout {
        is_pretty: true,
        ..PLAIN
    };

    #[test]
    fn a_page_ends_before_the_body_passes_the_limit() {
        let text = "x".repeat(1022);
        let (array, taken) = fill(PLAIN, std::iter::repeat(&text), MAX_PAGE_BYTES - 1);
        // [ and ] are the frame's; each item has its quotes and a comma.
        assert_eq!(taken, (MAX_PAGE_BYTES - 1) / 1025);
        assert!(array.as_str().len() <= MAX_PAGE_BYTES);
    }

    #[test]
    fn a_page_holds_one_item_at_least() {
        let text = "x".repeat(MAX_PAGE_BYTES);
        let room = MAX_PAGE_BYTES - 10;
        let (_, taken) = fill(PLAIN, [&text, &text].into_iter(), room);
        assert_eq!(taken, 1);
        let (none, taken) = fill(PLAIN, std::iter::empty::<u8>(), room);
        assert_eq!((taken, none.as_str()), (0, "[]"));
    }

    #[test]
    fn a_page_stays_under_6_mb_inside_a_string() {
        for (text, layout) in [("\\\"", PLAIN), ("", PRETTY)] {
            let bytes = embedded(text, layout);
            assert!(
                (4_900_000..6_000_000).contains(&bytes),
                "{bytes} bytes of {text:?}"
            );
        }
    }

    #[test]
    fn a_host_that_embeds_nothing_can_answer_more() {
        let unlimited = Layout {
            embedded_percent: usize::MAX,
            ..PLAIN
        };
        assert!(embedded("\\\"", unlimited) > 6_000_000);
    }

    /// The size of a full page inside a JSON string.
    fn embedded(text: &str, layout: Layout) -> usize {
        let item = vec![text; 1000];
        let (array, _) = fill(layout, std::iter::repeat(&item), MAX_PAGE_BYTES - 1000);
        let body = format!("{{\"items\":{}}}", array.as_str());
        let body = if layout.is_pretty {
            String::from_utf8(pretty(body.as_bytes(), 0, usize::MAX).unwrap()).unwrap()
        } else {
            body
        };
        serde_json::to_string(&body).unwrap().len()
    }

    #[test]
    fn a_page_leaves_room_for_its_longest_frame() {
        let text = "x".repeat(1022);
        let frame = "y".repeat(5000);
        let body = |items: Raw<'_>, next: &String| crate::json::to_json(&(next, items));
        let page = write_page(PLAIN, std::iter::repeat(&text), &frame, |_| &frame, body);
        assert!((MAX_PAGE_BYTES - 1025..=MAX_PAGE_BYTES).contains(&page.len()));
    }

    #[test]
    fn white_space_counts() {
        let (_, plain) = fill(PLAIN, std::iter::repeat([[1]]), MAX_PAGE_BYTES);
        let (array, spaced) = fill(PRETTY, std::iter::repeat([[1]]), MAX_PAGE_BYTES);
        assert!(spaced < plain / 5);
        let body = format!("{{\"a\":{}}}", array.as_str());
        let size = pretty(body.as_bytes(), 0, usize::MAX).unwrap().len();
        assert!(
            (MAX_PAGE_BYTES - 100..MAX_PAGE_BYTES + 20).contains(&size),
            "{size}"
        );
    }
}
