//! Reads the global order with the newest first, within bounds.

use std::time::{Duration, Instant};

use ees_core::{Changeset, Checkpoint, Error, EventStore, PageLimit};

/// How many positions the first window of a filter has for each row that is wanted.
const FIRST_WINDOW: u64 = 4;

/// How much wider each further window is.
const WIDER: u64 = 4;

/// How many positions one page looks at.
pub(crate) const MOST_POSITIONS: u64 = 10_000;

/// After this time no further window is begun.
const MOST_TIME: Duration = Duration::from_millis(15);

/// The payloads that one read may bring. A changeset that is larger comes alone.
const BYTES: usize = 512 * 1024;

/// The newest changesets before a position.
#[derive(Debug)]
pub(crate) struct Newest {
    /// The newest first.
    pub(crate) changesets: Vec<Changeset>,
    /// Where the part of the order begins that was looked at: older ones are before it.
    pub(crate) from: u64,
    /// How many positions were looked at.
    pub(crate) looked_at: u64,
}

/// What is wanted of the order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// The first position that is wanted.
    pub(crate) floor: u64,
    /// The position before which they are wanted.
    pub(crate) before: u64,
    /// How many changesets are wanted.
    pub(crate) rows: usize,
    /// Whether the store has a filter.
    pub(crate) is_filtered: bool,
}

/// The newest changesets that are wanted, as far as one page looks.
///
/// Without a filter the last positions are read. With a filter the storage selects, which costs little
/// for what it passes by. It reads forward, so windows are read from the end to the front, each wider
/// than the one before, until there are enough rows.
pub(crate) async fn newest(store: &EventStore, wanted: Wanted) -> Result<Newest, Error> {
    let begun = Instant::now();
    let mut found = Newest {
        changesets: Vec::new(),
        from: wanted.before,
        looked_at: 0,
    };
    let rows = u64::try_from(wanted.rows).unwrap_or(u64::MAX);
    let mut width = rows.saturating_mul(FIRST_WINDOW);
    let mut bytes = 0;
    while found.changesets.len() < wanted.rows && found.from > wanted.floor {
        let is_over = found.looked_at >= MOST_POSITIONS || begun.elapsed() >= MOST_TIME;
        if found.looked_at > 0 && (is_over || bytes >= BYTES) {
            break;
        }
        let left = wanted.rows - found.changesets.len();
        let (first, window) = if wanted.is_filtered {
            let first = found.from.saturating_sub(width).max(wanted.floor);
            selected(store, first, found.from).await?
        } else {
            last(store, wanted.floor, found.from, left).await?
        };
        width = (found.from - first).saturating_mul(WIDER);
        bytes += window.iter().map(Changeset::payload_bytes).sum::<usize>();
        found.looked_at += found.from - first;
        found.from = first;
        found.changesets.extend(window.into_iter().rev());
    }
    cut(&mut found, wanted.rows);
    Ok(found)
}

/// Cuts what is more than enough: the next page begins with it.
fn cut(found: &mut Newest, rows: usize) {
    if found.changesets.len() <= rows {
        return;
    }
    found.changesets.truncate(rows);
    let last = found.changesets.last().and_then(|last| last.checkpoint);
    if let Some(last) = last {
        found.looked_at = found.looked_at.saturating_sub(last.get() - found.from);
        found.from = last.get();
    }
}

/// The last changesets before a position, oldest first, and where they begin.
async fn last(
    store: &EventStore,
    floor: u64,
    end: u64,
    rows: usize,
) -> Result<(u64, Vec<Changeset>), Error> {
    let items = usize::try_from(end - floor).unwrap_or(usize::MAX).min(rows);
    let limit = PageLimit {
        items,
        bytes: BYTES,
    };
    let mut page = store.global_changesets_before(position(end), limit).await?;
    page.changesets.reverse();
    // Where nothing is before the position yet, as on a replica that lags, there is no more to find.
    let first = page.next.get();
    Ok((if first < end { first } else { floor }, page.changesets))
}

/// The changesets of a window that the filter selects, oldest first, and where the window begins. A
/// window that brings more than one read may is made narrower, to its end.
async fn selected(
    store: &EventStore,
    mut first: u64,
    end: u64,
) -> Result<(u64, Vec<Changeset>), Error> {
    let limit = PageLimit {
        items: 200,
        bytes: BYTES,
    };
    loop {
        let page = store.poll_changesets(position(first), limit).await?;
        let is_whole = page.next.get() >= end || page.next.get() <= first;
        if is_whole || end - first <= 1 {
            let mut found = page.changesets;
            found.retain(|changeset| changeset.checkpoint.is_some_and(|at| at.get() < end));
            return Ok((first, found));
        }
        first = end - ((end - first) / WIDER).max(1);
    }
}

pub(crate) fn position(number: u64) -> Checkpoint {
    Checkpoint::FIRST.plus(number)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use ees_core::{Events, Expectation, Filter, NewChangeset};
    use ees_memory::MemoryStorage;

    use super::*;

    /// A store whose changesets have these types, one stream each.
    async fn store(types: impl IntoIterator<Item = &'static str>) -> EventStore {
        let store = EventStore::new(Arc::new(MemoryStorage::new()));
        for (n, of) in types.into_iter().enumerate() {
            let events = Events::parse(&format!(r#"[{{"type": "{of}"}}]"#)).unwrap();
            let stream = format!("s{n}").parse().unwrap();
            let new = NewChangeset::new(stream, Expectation::NEW_STREAM, events);
            store.commit(new).await.unwrap();
        }
        store
    }

    fn positions(found: &Newest) -> Vec<u64> {
        let positions = found.changesets.iter().filter_map(|found| found.checkpoint);
        positions.map(Checkpoint::get).collect()
    }

    fn wanted(before: u64, is_filtered: bool) -> Wanted {
        Wanted {
            floor: 0,
            before,
            rows: 3,
            is_filtered,
        }
    }

    #[tokio::test]
    async fn pages_lead_from_the_newest_to_the_first() {
        let store = store(["a"; 8]).await;
        let mut before = 8;
        let mut seen = Vec::new();
        while before > 0 {
            let page = newest(&store, wanted(before, false)).await.unwrap();
            assert!(page.changesets.len() <= 3 && page.from < before);
            seen.extend(positions(&page));
            before = page.from;
        }
        assert_eq!(seen, [7, 6, 5, 4, 3, 2, 1, 0]);
    }

    #[tokio::test]
    async fn a_filter_finds_all_that_it_selects_page_by_page() {
        let types = (0..500).map(|n| if n % 50 == 0 || n > 490 { "rare" } else { "a" });
        let store = store(types).await;
        let rare = store.with_filter(Filter::default().event_type("rare"));
        let mut before = 500;
        let mut seen = Vec::new();
        while before > 0 {
            let page = newest(&rare, wanted(before, true)).await.unwrap();
            assert!(page.changesets.len() <= 3 && page.from < before);
            seen.extend(positions(&page));
            before = page.from;
        }
        let expected = (0..500).rev().filter(|n| n % 50 == 0 || *n > 490);
        assert_eq!(seen, expected.collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_floor_ends_the_look() {
        let store = store(["a"; 8]).await;
        let wanted = Wanted {
            floor: 6,
            ..wanted(8, false)
        };
        let page = newest(&store, wanted).await.unwrap();
        assert_eq!((positions(&page), page.from), (vec![7, 6], 6));
    }
}
