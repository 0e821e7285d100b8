//! How many changesets to fetch at once, by the size of those that were fetched before.

use std::sync::atomic::{AtomicUsize, Ordering};

use ees_core::Changeset;

/// The largest number of changesets that are fetched at once.
const MOST: usize = 100;

/// The smallest number of them, if the limit of the page is not smaller.
const FEWEST: usize = 4;

/// How many bytes of changesets are fetched at once, if they are of the size of those before.
const BYTES_AT_ONCE: usize = 1024 * 1024;

/// The size of changesets before any was fetched.
const ASSUMED_BYTES: usize = 32 * 1024;

/// The mean size of the changesets that were fetched last. It decides only how many are fetched
/// next.
#[derive(Debug)]
pub(crate) struct FetchedSize(AtomicUsize);

impl Default for FetchedSize {
    fn default() -> Self {
        Self(AtomicUsize::new(ASSUMED_BYTES))
    }
}

impl FetchedSize {
    /// How many changesets to fetch at once.
    pub(crate) fn fit(&self) -> usize {
        let size = self.0.load(Ordering::Relaxed).max(1);
        (BYTES_AT_ONCE / size).clamp(FEWEST, MOST)
    }

    pub(crate) fn learn(&self, fetched: &[Changeset]) {
        let bytes: usize = fetched.iter().map(Changeset::payload_bytes).sum();
        if let Some(mean) = bytes.checked_div(fetched.len()) {
            self.0.store(mean, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use ees_core::{Events, Json};

    use super::*;
    use crate::items::{self, Item, number};

    fn changeset(bytes: usize) -> Changeset {
        let item = Item::from([
            ("stream_id".to_owned(), items::text("s")),
            ("changeset_id".to_owned(), number(1_u64)),
            ("first_event_id".to_owned(), number(1_u64)),
            ("last_event_id".to_owned(), number(1_u64)),
            (
                "timestamp".to_owned(),
                items::text("2021-01-05T13:15:30.500000Z"),
            ),
            ("events".to_owned(), items::text("[1]")),
            ("metadata".to_owned(), items::text("null")),
        ]);
        Changeset {
            events: Events::of(&["x".repeat(bytes)]).unwrap(),
            metadata: Json::default(),
            ..items::changeset(&item).unwrap()
        }
    }

    #[test]
    fn what_is_fetched_at_once_is_bounded_by_its_size() {
        let size = FetchedSize::default();
        assert_eq!(size.fit(), 32);
        for (bytes, fit) in [(1, MOST), (20 * 1024, 51), (390 * 1024, FEWEST)] {
            size.learn(&[changeset(bytes)]);
            assert_eq!(size.fit(), fit, "{bytes} bytes");
        }
        size.learn(&[]);
        assert_eq!(size.fit(), FEWEST, "nothing was learned");
    }
}
