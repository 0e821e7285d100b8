//! G10, G11, G2: streams do not affect each other, however similar their ids are.

use crate::Harness;
use crate::subject::{Ask, Committed, Expect, unique};
use crate::support::{
    GLOBAL_LIMIT, commit, conflict, end_of_log, events, head, log, of_streams, stream, unplaced,
};

/// What differs only in case, in spaces, in the form of Unicode, or by characters that are not
/// seen: a collation takes some of them for the same.
const ALIKE: &[&str] = &[
    "a",
    "A",
    "a ",
    "a  ",
    " a",
    "á",
    "a\u{301}",
    "Á",
    "a\u{200b}",
    "a\u{200d}",
    "a\u{ad}",
    "a\u{feff}",
    "ａ",
    "ª",
    "ss",
    "ß",
    "ẞ",
    "SS",
    "i",
    "I",
    "ı",
    "İ",
    "k",
    "K",
    "\u{212a}",
    "ff",
    "ﬀ",
    "Å",
    "\u{212b}",
    "1",
    "１",
    "¹",
    "-",
    "\u{2010}",
];

fn names() -> Vec<String> {
    let mark = unique("alike");
    ALIKE.iter().map(|end| format!("{mark}{end}")).collect()
}

/// The same key, expectation and content in all of them: each stream stores its own commit.
pub async fn the_same_key_in_streams_that_look_alike(harness: &mut dyn Harness) {
    let (subject, names) = (harness.subject(), names());
    let start = end_of_log(&*subject).await;
    let ask = |name: &str| Ask::new(name, Expect::Changeset(0)).key("the same key");
    let mut told: Vec<Committed> = Vec::new();
    for name in &names {
        told.push(commit(&*subject, &ask(name)).await);
    }
    for (name, first) in names.iter().zip(&told) {
        let found = (&first.stream, first.changeset_id);
        assert_eq!(
            found,
            (name, 1),
            "G10: the commit is stored, not taken for a repeat"
        );
        let again = commit(&*subject, &ask(name)).await;
        let same = (again.changeset_id, &again.timestamp);
        assert_eq!(same, (1, &first.timestamp), "G10: a repeat in `{name}`");
    }
    for name in &names {
        let last = head(&*subject, name).await.last_changeset;
        assert_eq!(
            last, 1,
            "G11: `{name}` shares no changeset with another stream"
        );
    }
    harness.settle().await;
    let order = of_streams(&log(&*subject, start, GLOBAL_LIMIT).await, &names);
    let placed: Vec<_> = order.iter().map(|changeset| &changeset.stream).collect();
    let expected: Vec<_> = names.iter().collect();
    let mut sorted = (placed.clone(), expected.clone());
    sorted.0.sort();
    sorted.1.sort();
    assert_eq!(
        sorted.0, sorted.1,
        "G11: each stream once in the global order"
    );
}

/// A conflict lists the changesets of its own stream, and none of streams with similar ids.
pub async fn a_conflict_tells_of_its_own_stream_alone(harness: &mut dyn Harness) {
    let (subject, names) = (harness.subject(), names());
    for last in 0..2 {
        for name in &names {
            let ask = Ask::new(name, Expect::Changeset(last));
            commit(&*subject, &ask.events(events(name, 1 + last))).await;
        }
    }
    for name in &names {
        let stands = unplaced(&stream(&*subject, name).await);
        for (expect, from) in [(Expect::Changeset(0), 0), (Expect::Event(1), 1)] {
            let told = conflict(&*subject, &Ask::new(name, expect)).await;
            let told = unplaced(&told.items);
            assert_eq!(told, stands[from..], "G2: a conflict in `{name}`");
            let own = told.iter().all(|changeset| changeset.stream == *name);
            assert!(
                own,
                "G2: a conflict in `{name}` lists only its changesets: {told:?}"
            );
        }
    }
}
