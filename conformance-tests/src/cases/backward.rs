//! G6: the global order, newest first.

use crate::Harness;
use crate::subject::{GlobalRead, Subject, unique};
use crate::support::{end_of_log, fill};

const LIMITS: [u64; 4] = [1, 2, 3, 1000];

/// The positions from `end` down to `start`, read backward in pages of so many changesets.
async fn positions(subject: &dyn Subject, start: u64, end: u64, limit: u64) -> Vec<u64> {
    let mut before = end;
    let mut positions = Vec::new();
    while before > start {
        let read = GlobalRead::before(before).limit(limit);
        let page = subject.global_changesets(&read).await;
        let page = page.expect("G6: a page before a checkpoint");
        let found = page.changesets.iter();
        let found: Vec<u64> = found.filter_map(|changeset| changeset.checkpoint).collect();
        assert!(
            !found.is_empty(),
            "G6: a page that ends at {before} is empty"
        );
        assert!(found.len() as u64 <= limit, "G6: {limit} were asked for");
        assert_eq!(
            found.first(),
            Some(&(before - 1)),
            "G6: exclusive of {before}"
        );
        assert_eq!(
            found.last(),
            Some(&page.next_checkpoint),
            "G6: what the next page ends before"
        );
        before = page.next_checkpoint;
        positions.extend(found);
    }
    positions.retain(|position| *position >= start);
    positions
}

/// The events from `end` down to `start`, read backward in pages of so many events.
async fn events(subject: &dyn Subject, start: u64, end: u64, limit: u64) -> Vec<(u64, u64)> {
    let mut before = (end, 0);
    let mut events = Vec::new();
    while before > (start, 0) {
        let read = GlobalRead::before(before).limit(limit);
        let page = subject.global_events(&read).await;
        let page = page.expect("G6: a page before a checkpoint");
        let found: Vec<_> = page.events.iter().map(|event| event.checkpoint).collect();
        assert!(
            !found.is_empty(),
            "G6: a page that ends at {before:?} is empty"
        );
        assert_eq!(
            found.last(),
            Some(&page.next_checkpoint),
            "G6: what the next page ends before"
        );
        before = page.next_checkpoint;
        events.extend(found);
    }
    events.retain(|position| *position >= (start, 0));
    events
}

/// Backward and forward tell one order, by changesets and by events, whatever the limit.
pub async fn the_order_is_the_same_backward(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let start = end_of_log(&*subject).await;
    for sizes in [[2, 1, 3], [1, 4, 1]] {
        fill(&*subject, &unique("backward"), &sizes).await;
    }
    harness.settle().await;
    let end = end_of_log(&*subject).await;
    let expected: Vec<u64> = (start..end).rev().collect();
    let mut before = None;
    for limit in LIMITS {
        let found = positions(&*subject, start, end, limit).await;
        assert_eq!(found, expected, "G6: in pages of {limit}");
        let found = events(&*subject, start, end, limit).await;
        let mut sorted = found.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert!(
            sorted.iter().rev().eq(&found),
            "G6: newest first, each once"
        );
        let before = before.get_or_insert_with(|| found.clone());
        assert_eq!(found, *before, "G6: events in pages of {limit}");
        for event in found.iter().skip(1).step_by(3) {
            let read = GlobalRead::before(*event).limit(1);
            let page = subject.global_events(&read).await.expect("G6: an event");
            let next = before.iter().find(|other| *other < event);
            let told = page.events.first().map(|event| &event.checkpoint);
            assert!(
                next.is_none() || told == next,
                "G6: {told:?} before {event:?}"
            );
        }
    }
    let read = GlobalRead::from((start, 0)).limit(1000);
    let forward = subject.global_events(&read).await.expect("G6: forward");
    let mut forward: Vec<_> = forward
        .events
        .iter()
        .map(|event| event.checkpoint)
        .collect();
    forward.retain(|position| *position < (end, 0));
    forward.reverse();
    assert_eq!(Some(forward), before, "G6: the order read forward");
}

/// Changesets that are too large for one page come in several, the newest first.
pub async fn large_changesets_come_in_pages_backward(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let start = end_of_log(&*subject).await;
    let size = harness.capabilities().max_changeset_bytes.min(1_500_000) - 1000;
    let large = format!(r#"["{}"]"#, "x".repeat(size));
    let stream = unique("backward-large");
    for last in 0..5 {
        let ask = crate::subject::Ask::new(&stream, crate::subject::Expect::Changeset(last));
        crate::support::commit(&*subject, &ask.events(large.clone())).await;
    }
    harness.settle().await;
    let end = end_of_log(&*subject).await;
    let expected: Vec<u64> = (start..end).rev().collect();
    let found = positions(&*subject, start, end, 1000).await;
    assert_eq!(found, expected, "G6: large changesets");
}

/// Before checkpoint 0 there is nothing, and a reader who goes on stays there.
pub async fn the_beginning_has_nothing_before_it(harness: &mut dyn Harness) {
    let subject = harness.subject();
    fill(&*subject, &unique("backward"), &[1]).await;
    harness.settle().await;
    let page = subject.global_changesets(&GlobalRead::before(0)).await;
    let page = page.expect("G6: the beginning is no error");
    assert!(
        page.changesets.is_empty() && page.next_checkpoint == 0,
        "G6: {page:?}"
    );
    let page = subject.global_events(&GlobalRead::before((0, 0))).await;
    let page = page.expect("G6: the beginning is no error");
    assert!(
        page.events.is_empty() && page.next_checkpoint == (0, 0),
        "G6: {page:?}"
    );
}

/// Beyond the head there is no place to read backward from; the head itself is one.
pub async fn a_checkpoint_beyond_the_head_is_refused_backward(harness: &mut dyn Harness) {
    let subject = harness.subject();
    fill(&*subject, &unique("backward"), &[3, 1]).await;
    harness.settle().await;
    let head = end_of_log(&*subject).await;
    let at_head = subject.global_changesets(&GlobalRead::before(head)).await;
    at_head.expect("G6: the head is no error");
    let far = head + 1_000_000;
    for checkpoint in [far, i64::MAX.cast_unsigned()] {
        let refused = subject
            .global_changesets(&GlobalRead::before(checkpoint))
            .await;
        let code = refused.expect_err("G6: beyond the head").code;
        assert_eq!(code, "CHECKPOINT_BEYOND_HEAD", "G6: {checkpoint}");
        for index in [0, 7] {
            let read = GlobalRead::before((checkpoint, index));
            let refused = subject.global_events(&read).await;
            let code = refused.expect_err("G6: beyond the head").code;
            assert_eq!(code, "CHECKPOINT_BEYOND_HEAD", "G6: {checkpoint}.{index}");
        }
    }
}
