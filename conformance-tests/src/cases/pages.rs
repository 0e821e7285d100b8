//! G6: the global order where an index begins a new page, at every multiple of 1000.

use std::sync::Arc;

use crate::Harness;
use crate::subject::{Ask, Expect, GlobalRead, Subject, unique};
use crate::support::{
    GLOBAL_LIMIT, commit, end_of_log, event_log, fill, flat, log, log_page, together,
};

const PAGE: u64 = 1000;

/// Fills the order up to the next multiple of 1000 and so many further; returns the multiple.
async fn fill_to_boundary(harness: &dyn Harness, further: u64) -> u64 {
    let subject = harness.subject();
    let start = end_of_log(&*subject).await;
    let boundary = (start / PAGE + 1) * PAGE;
    append_many(&subject, boundary - start + further).await;
    harness.settle().await;
    boundary
}

/// Commits so many changesets of one event, many at a time: to as many streams, so that none waits
/// for another.
async fn append_many(subject: &Arc<dyn Subject>, count: u64) {
    const STREAMS: u64 = 40;
    let writers = (0..STREAMS).map(|writer| {
        let subject = Arc::clone(subject);
        let changesets = count / STREAMS + u64::from(writer < count % STREAMS);
        async move {
            let sizes = vec![1; usize::try_from(changesets).expect("a few")];
            fill(&*subject, &unique("paged"), &sizes).await;
        }
    });
    together(writers).await;
}

/// Reads that begin and end on either side of the boundary are as anywhere else.
pub async fn reads_cross_a_page_boundary(harness: &mut dyn Harness) {
    let boundary = fill_to_boundary(harness, 3).await;
    let subject = harness.subject();
    let around = log(&*subject, boundary - 3, GLOBAL_LIMIT).await;
    assert!(around.len() >= 6, "G6: three on each side");
    for skip in 0..6 {
        for limit in [1, 2, 3, 4, 999, 1000] {
            let read = GlobalRead::from(boundary - 3 + skip).limit(limit);
            let found = log_page(&*subject, read.clone()).await;
            let rest = &around[usize::try_from(skip).expect("few")..];
            // Others may have committed since.
            let both = found.len().min(rest.len());
            assert_eq!(found[..both], rest[..both], "G6: {read:?}");
            let least = (6 - skip).min(limit);
            assert!(found.len() as u64 >= least, "G6: {read:?} stops early");
        }
    }
}

/// From before the boundary to the end, pages of every kind of size give one order.
pub async fn every_limit_crosses_a_page_boundary(harness: &mut dyn Harness) {
    let start = end_of_log(&*harness.subject()).await;
    let boundary = fill_to_boundary(harness, 2).await;
    let subject = harness.subject();
    let whole = log(&*subject, start, GLOBAL_LIMIT).await;
    let least = boundary + 2 - start;
    assert!(whole.len() as u64 >= least, "G6: all of {least}");
    for limit in [334, 500, 998, 999] {
        let found = log(&*subject, start, limit).await;
        assert!(
            found[..whole.len()] == whole,
            "G6: the same in pages of {limit}"
        );
    }
    let near = boundary.saturating_sub(5).max(start);
    let skip = usize::try_from(near - start).expect("few");
    let expected = flat(&whole[skip..]);
    for limit in [1, 2, 5, 1000] {
        let found = event_log(&*subject, (near, 0), limit).await;
        assert!(
            found[..expected.len()] == expected,
            "G6: the same events in pages of {limit}"
        );
    }
}

/// An order that ends exactly at the boundary continues after it.
pub async fn the_order_goes_on_at_a_page_boundary(harness: &mut dyn Harness) {
    let boundary = fill_to_boundary(harness, 0).await;
    let subject = harness.subject();
    let end = end_of_log(&*subject).await;
    assert!(end >= boundary, "G6: filled up to the boundary");
    let found = log_page(&*subject, GlobalRead::from(boundary - 1).limit(1)).await;
    assert_eq!(found.len(), 1, "G6: the last of its page");
    let name = unique("first");
    commit(&*subject, &Ask::new(&name, Expect::Changeset(0))).await;
    harness.settle().await;
    let found = log(&*subject, boundary - 1, 2).await;
    let place = found.iter().find(|c| c.stream == name);
    let place = place.and_then(|c| c.checkpoint).expect("G6: a position");
    assert!(
        place >= boundary,
        "G6: position {place} follows the full page"
    );
}
