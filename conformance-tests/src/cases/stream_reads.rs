//! G5: reads of one stream are consistent, in order and complete.

use crate::Harness;
use crate::model::{Model, bare_page};
use crate::subject::{Ask, Expect, Page, Read, Subject, unique};
use crate::support::{
    MAX_ID, NOT_FOUND, PAGE_BYTES, assert_fits, commit, event_page, event_pages, events,
    fill_large, head, items, page, pages, stream, stream_events, unplaced,
};

const SIZES: [u64; 4] = [3, 1, 4, 2];

/// Writes the same stream into the store and into the model.
async fn written(subject: &dyn Subject, sizes: &[u64]) -> (String, Model) {
    let (name, mut model) = (unique("read"), Model::default());
    for (last, size) in (0..).zip(sizes) {
        let ask = Ask::new(&name, Expect::Changeset(last));
        let ask = ask.events(events(&last.to_string(), *size));
        commit(subject, &ask).await;
        model.commit(&ask).expect("the model takes what fits");
    }
    (name, model)
}

/// Every range with ids up to `highest`, with these limits, in both directions.
fn every_read(highest: u64, limits: &[Option<u64>]) -> Vec<Read> {
    let bounds = || (0..=highest).map(Some).chain([None]);
    let mut reads = Vec::new();
    for from in bounds() {
        for to in bounds().filter(|to| to.is_none() || from.unwrap_or(0) <= to.unwrap_or(0)) {
            for limit in limits.iter().copied() {
                for backward in [false, true] {
                    reads.push(Read {
                        from,
                        to,
                        limit,
                        backward,
                        ..Read::default()
                    });
                }
            }
        }
    }
    reads
}

/// Whoever committed sees it in every read that comes after.
pub async fn reads_see_what_was_just_written(harness: &mut dyn Harness) {
    let name = unique("own");
    for last in 0..20 {
        let ask = Ask::new(&name, Expect::Changeset(last));
        let committed = commit(&*harness.subject(), &ask).await;
        let subject = harness.subject();
        let end = head(&*subject, &name).await;
        assert_eq!(end.last_changeset, last + 1, "G5: the head");
        assert_eq!(end.last_timestamp, committed.timestamp, "G5: its time");
        let found = stream(&*subject, &name).await;
        assert_eq!(found.len() as u64, last + 1, "G5: the changesets");
        let found = stream_events(&*subject, &name).await;
        assert_eq!(found.len() as u64, last + 1, "G5: the events");
    }
}

/// Every range of changesets with every limit, forward and backward.
pub async fn every_range_of_changesets(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let (name, model) = written(&*subject, &SIZES).await;
    for read in every_read(6, &[None, Some(1), Some(3), Some(4), Some(5)]) {
        let found = bare_page(page(&*subject, &name, read).await);
        assert_eq!(Ok(found), model.changesets(&name, &read), "G5: {read:?}");
    }
}

/// Every range of events, also those that begin or end inside a changeset.
pub async fn every_range_of_events(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let (name, model) = written(&*subject, &SIZES).await;
    for read in every_read(12, &[None, Some(1), Some(3), Some(10)]) {
        let found = event_page(&*subject, &name, read).await;
        assert_eq!(Ok(found), model.events(&name, &read), "G5: {read:?}");
    }
}

/// What lies beyond the end is empty, not an error, and before the first id as well.
pub async fn a_range_beyond_the_end_is_empty(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let (name, _) = written(&*subject, &[2, 2]).await;
    for (from, to) in [
        (Some(5), None),
        (Some(MAX_ID), None),
        (Some(MAX_ID), Some(MAX_ID)),
        (Some(0), Some(0)),
        (None, Some(0)),
    ] {
        for backward in [false, true] {
            let read = Read {
                from,
                to,
                backward,
                limit: None,
                ..Read::default()
            };
            let found = page(&*subject, &name, read).await;
            assert_eq!((found.items.len(), found.next), (0, None), "G5: {read:?}");
            let found = event_page(&*subject, &name, read).await;
            assert_eq!((found.items.len(), found.next), (0, None), "G5: {read:?}");
        }
    }
    let read = Read {
        to: Some(MAX_ID),
        limit: Some(MAX_ID),
        ..Read::default()
    };
    assert_eq!(page(&*subject, &name, read).await.items.len(), 2, "G5: all");
}

/// Whoever follows `next` gets exactly the unpaged answer, with every limit, in both directions.
pub async fn following_next_gives_the_whole_answer(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let (name, _) = written(&*subject, &[1, 5, 2, 1, 1, 7, 3]).await;
    let ranges = [(None, None), (Some(2), Some(6)), (Some(3), None)];
    for (from, to) in ranges {
        for backward in [false, true] {
            let unpaged = Read {
                from,
                to,
                backward,
                limit: None,
                ..Read::default()
            };
            // A storage may give them their positions in between.
            let changesets = unplaced(&page(&*subject, &name, unpaged).await.items);
            let single = event_page(&*subject, &name, unpaged).await.items;
            for limit in 1..=8 {
                let read = Read {
                    limit: Some(limit),
                    ..unpaged
                };
                let found = items(pages(&*subject, &name, read).await);
                assert_eq!(unplaced(&found), changesets, "G5: {read:?}");
                let found = items(event_pages(&*subject, &name, read).await);
                assert_eq!(found, single, "G5: {read:?}");
            }
        }
    }
}

/// A stream that no answer can hold is cut with a next page, never without one.
pub async fn a_large_stream_comes_in_pages(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let name = unique("large");
    let count = fill_large(&*subject, &name, harness.capabilities().max_changeset_bytes).await;
    for backward in [false, true] {
        let read = Read {
            backward,
            ..Read::default()
        };
        let mut ids: Vec<u64> = (1..=count).collect();
        if backward {
            ids.reverse();
        }
        let found = pages(&*subject, &name, read).await;
        assert_cut(&found, |c| c.events.len() + c.metadata.len());
        let found: Vec<u64> = items(found).iter().map(|c| c.changeset_id).collect();
        assert_eq!(found, ids, "G5: every changeset once");
        let found = event_pages(&*subject, &name, read).await;
        assert_cut(&found, |event| event.data.len());
        let found: Vec<u64> = items(found).iter().map(|event| event.id).collect();
        assert_eq!(found, ids, "G5: every event once");
    }
}

/// There is more than one page, and none holds more than an answer may.
fn assert_cut<T>(pages: &[Page<T>], bytes: impl Fn(&T) -> usize) {
    assert!(pages.len() > 1, "G5: the stream has more than one page");
    for page in pages {
        assert_fits(&page.items, &bytes);
    }
}

/// A changeset that is larger than an answer should be comes alone; its events come in pages. A
/// store that takes no such changeset refuses it.
pub async fn a_changeset_larger_than_a_page_comes_alone(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let name = unique("huge");
    let event = format!("\"{}\"", "y".repeat(PAGE_BYTES / 8));
    let huge = format!("[{}]", [event.as_str(); 9].join(","));
    // Where nothing is so large; what stands in front of a store may refuse it before the store.
    if harness.capabilities().max_changeset_bytes < huge.len() + 2 {
        return;
    }
    commit(&*subject, &Ask::new(&name, Expect::Changeset(0))).await;
    let ask = Ask::new(&name, Expect::Changeset(1)).events(&huge);
    commit(&*subject, &ask).await;
    commit(&*subject, &Ask::new(&name, Expect::Changeset(2))).await;
    for backward in [false, true] {
        let read = Read {
            backward,
            ..Read::default()
        };
        let found = pages(&*subject, &name, read).await;
        let sizes: Vec<usize> = found.iter().map(|page| page.items.len()).collect();
        assert_eq!(sizes, [1, 1, 1], "G5: the huge item has a page of its own");
        assert!(
            found[1].items[0].events == huge,
            "G11: the huge item is unchanged"
        );
        let found = event_pages(&*subject, &name, read).await;
        assert_cut(&found, |event| event.data.len());
        let found = items(found);
        assert_eq!(found.len(), 11, "G5: all its events");
        assert!(
            found[1..10].iter().all(|e| e.data == event),
            "G11: the events are unchanged"
        );
    }
}

/// No read finds a stream without commits.
pub async fn a_missing_stream_is_not_found(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let name = unique("missing");
    let code = subject.head(&name).await.expect_err("G5: no head").code;
    assert_eq!(code, NOT_FOUND, "G5: the head");
    for read in every_read(2, &[None, Some(1)]) {
        let found = subject.changesets(&name, &read).await;
        assert_eq!(found.expect_err("G5: no changesets").code, NOT_FOUND);
        let found = subject.events(&name, &read).await;
        assert_eq!(found.expect_err("G5: no events").code, NOT_FOUND);
    }
}
