//! G5, G6: an adapter's pages end where [`PageBuilder`] says, by items and by bytes.

use ees_core::adapter::{PageBuilder, Storage};
use ees_core::{
    Changeset, Checkpoint, Direction, Page, PageLimit, StreamId, StreamQuery, StreamRange,
};

use crate::AdapterHarness;
use crate::subject::{Ask, Expect, unique};
use crate::support::{MAX_ID, commit, end_of_log, events_of_size};

/// Payloads whose sums are met exactly, almost and not at all by the limits below.
const SIZES: [usize; 8] = [30, 30, 500, 4, 100, 29, 2000, 30];

const BYTES: [usize; 12] = [0, 1, 16, 46, 48, 94, 96, 97, 600, 3000, 100_000, usize::MAX];

fn limits() -> impl Iterator<Item = PageLimit> {
    let items = [0, 1, 2, 7, 8, 9, usize::MAX];
    items
        .into_iter()
        .flat_map(|items| BYTES.map(|bytes| PageLimit { items, bytes }))
}

async fn written(harness: &dyn AdapterHarness) -> (u64, StreamId) {
    let subject = harness.subject();
    let (start, name) = (end_of_log(&*subject).await, unique("limits"));
    for (last, size) in (0..).zip(SIZES) {
        let ask = Ask::new(&name, Expect::Changeset(last));
        commit(&*subject, &ask.events(events_of_size(size))).await;
    }
    harness.settle().await;
    (start, StreamId::new(&name).expect("a stream id"))
}

fn page(limit: PageLimit, changesets: impl IntoIterator<Item = Changeset>) -> Page<Changeset> {
    let mut page = PageBuilder::new(limit);
    for changeset in changesets {
        if !page.push_changeset(changeset) {
            break;
        }
    }
    page.finish()
}

/// Two pages are the same; if not, they are shown as far as they differ.
#[track_caller]
fn assert_same(found: &Page<Changeset>, expected: &Page<Changeset>, what: &str) {
    let ids = |page: &Page<Changeset>| -> (Vec<u64>, bool) {
        let ids = page.items.iter().map(|c| c.changeset_id.get());
        (ids.collect(), page.more)
    };
    let ((found_ids, more), (expected_ids, expected_more)) = (ids(found), ids(expected));
    assert_eq!(
        found_ids, expected_ids,
        "{what}: the changesets of the page"
    );
    assert_eq!(more, expected_more, "{what}: whether more remains");
    for (found, expected) in found.items.iter().zip(&expected.items) {
        assert_eq!(found, expected, "{what}: a changeset of the page");
    }
}

fn range_in_words(range: &StreamRange) -> String {
    let (what, ids) = match range {
        StreamRange::Changesets(ids) => ("changesets", ids),
        StreamRange::Events(ids) => ("changesets that hold the events", ids),
    };
    match *ids.end() {
        end if end >= MAX_ID => format!("{what} from {} on", ids.start()),
        end => format!("{what} {} to {end}", ids.start()),
    }
}

fn direction_in_words(direction: Direction) -> &'static str {
    match direction {
        Direction::Forward => "oldest first",
        Direction::Backward => "newest first",
    }
}

fn limit_in_words(limit: PageLimit) -> String {
    let word = |number: usize, what: &str| match number {
        usize::MAX => format!("any number of {what}"),
        number => format!("{number} {what}"),
    };
    format!(
        "{} and {}",
        word(limit.items, "items"),
        word(limit.bytes, "bytes")
    )
}

async fn hold_to_limits(storage: &dyn Storage, stream: StreamId, range: StreamRange) {
    for direction in [Direction::Forward, Direction::Backward] {
        let mut query = StreamQuery::all(stream.clone())
            .range(range.clone())
            .direction(direction);
        let all = storage.read_stream(&query).await.expect("G5: all");
        assert!(!all.more, "G5: all of a small stream");
        for limit in limits() {
            query.limit = limit;
            let found = storage.read_stream(&query).await.expect("G5: a page");
            let expected = page(limit, all.items.clone());
            assert_same(
                &found,
                &expected,
                &format!(
                    "G5: {} {}, at most {}",
                    range_in_words(&range),
                    direction_in_words(direction),
                    limit_in_words(limit)
                ),
            );
        }
    }
}

/// Pages of changesets, forward and backward.
pub async fn stream_pages_end_where_the_limit_says(harness: &mut dyn AdapterHarness) {
    let (_, stream) = written(harness).await;
    let storage = harness.storage();
    for ids in [0..=u64::MAX >> 1, 1..=8, 3..=7, 8..=8, 9..=20] {
        let range = StreamRange::Changesets(ids);
        hold_to_limits(&*storage, stream.clone(), range).await;
    }
}

/// Pages of the changesets that hold some events.
pub async fn event_ranges_end_where_the_limit_says(harness: &mut dyn AdapterHarness) {
    let (_, stream) = written(harness).await;
    let storage = harness.storage();
    for ids in [0..=u64::MAX >> 1, 1..=8, 2..=6, 9..=20] {
        let range = StreamRange::Events(ids);
        hold_to_limits(&*storage, stream.clone(), range).await;
    }
}

/// Pages of the global order lead to the first changeset that they do not hold.
pub async fn global_pages_end_where_the_limit_says(harness: &mut dyn AdapterHarness) {
    let (start, stream) = written(harness).await;
    let storage = harness.storage();
    let start = Checkpoint::new(start).expect("a checkpoint");
    let all = storage.read_global(start, PageLimit::default()).await;
    let all = all.expect("G6: all").changesets;
    let ours = all.iter().filter(|c| c.stream_id == stream).count();
    assert_eq!(ours, SIZES.len(), "G6: all of a small order");
    for limit in limits() {
        let found = storage.read_global(start, limit).await;
        let found = found.expect("G6: a page");
        let expected = page(limit, all.clone());
        let next = start.plus(expected.items.len() as u64);
        let what = format!("G6: the global order, at most {}", limit_in_words(limit));
        assert_eq!(found.next, next, "{what}: where to go on");
        let items = found.changesets;
        let more = expected.more;
        assert_same(&Page { items, more }, &expected, &what);
    }
}
