//! G2, G5: the changesets that a conflict lists are bounded, and the rest is read from `next`.

use crate::Harness;
use crate::subject::{Ask, Expect, Read, Subject, unique};
use crate::support::{commit, conflict, events_of_size, fill, fill_large, items, pages};

/// The ids of the changesets that a conflict lists, and where the rest begins.
async fn listed(subject: &dyn Subject, name: &str, expect: Expect) -> (Vec<u64>, Option<u64>) {
    let told = conflict(subject, &Ask::new(name, expect)).await;
    let ids = told.items.iter().map(|changeset| changeset.changeset_id);
    (ids.collect(), told.next)
}

/// A conflict lists 100 changesets.
pub async fn a_conflict_lists_a_hundred_changesets(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let name = unique("long-conflict");
    fill(&*subject, &name, &[1; 103]).await;
    for (expect, expected) in [
        (Expect::Changeset(1), ((2..=101).collect(), Some(102))),
        (Expect::Event(2), ((3..=102).collect(), Some(103))),
        (Expect::Changeset(3), ((4..=103).collect(), None)),
        (Expect::Event(102), (vec![103], None)),
    ] {
        let found = listed(&*subject, &name, expect).await;
        assert_eq!(found, expected, "G2: the changesets after {expect:?}");
    }
}

/// A conflict lists 256 KiB, but at least one changeset.
pub async fn a_conflict_lists_256_kib(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let name = unique("wide-conflict");
    let sizes = [100, 100, 100, 300].map(|kib| kib * 1024);
    for (last, bytes) in (0..).zip(sizes) {
        let ask = Ask::new(&name, Expect::Changeset(last)).events(events_of_size(bytes));
        commit(&*subject, &ask).await;
    }
    for (expect, expected) in [
        (Expect::Changeset(0), (vec![1, 2], Some(3))),
        (Expect::Changeset(2), (vec![3], Some(4))),
        (Expect::Event(3), (vec![4], None)),
    ] {
        let found = listed(&*subject, &name, expect).await;
        assert_eq!(found, expected, "G2: the changesets after {expect:?}");
    }
}

/// What does not fit into the answer to a conflict is a page with a next one.
pub async fn a_large_conflict_is_told_in_pages(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let name = unique("large-conflict");
    let count = fill_large(&*subject, &name, harness.capabilities().max_changeset_bytes).await;
    for expect in [Expect::Changeset(1), Expect::Event(1)] {
        let told = conflict(&*subject, &Ask::new(&name, expect)).await;
        let next = told.next.expect("G2: the list has more than one page");
        let rest = Read {
            from: Some(next),
            ..Read::default()
        };
        let rest = items(pages(&*subject, &name, rest).await);
        let ids = told.items.iter().chain(&rest).map(|c| c.changeset_id);
        assert_eq!(
            ids.collect::<Vec<_>>(),
            (2..=count).collect::<Vec<_>>(),
            "G2: all changesets after {expect:?}"
        );
    }
}
