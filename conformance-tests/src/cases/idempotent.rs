//! G10: a commit may be repeated.

use std::sync::Arc;

use crate::Harness;
use crate::subject::{Ask, Committed, Expect, Subject, unique};
use crate::support::{
    AHEAD, KEY_REUSED, commit, conflict, end_of_log, events, fill, log, of_streams, refused,
    stream, together,
};

/// A stream of two changesets (three events, one event), the second committed with a key.
pub(super) async fn keyed(subject: &dyn Subject) -> (Ask, Committed) {
    let name = unique("keyed");
    fill(subject, &name, &[3]).await;
    let ask = Ask::new(&name, Expect::Changeset(1)).key("the key");
    let first = commit(subject, &ask).await;
    (ask, first)
}

/// Repeats a commit: it is answered as the first time, and the stream stays as it is.
pub(super) async fn repeat(harness: &dyn Harness, ask: &Ask, first: &Committed) {
    let subject = &*harness.subject();
    let before = stream(subject, &ask.stream).await.len();
    let mut again = commit(subject, ask).await;
    if !harness.capabilities().orders_at_commit {
        // By now it may have the position that it had not when it was committed.
        again.checkpoint = first.checkpoint;
    }
    assert!(again.replayed, "G10: the answer says that it is a repeat's");
    again.replayed = first.replayed;
    assert_eq!(again, *first, "G10: the repeat gets the first answer");
    let after = stream(subject, &ask.stream).await.len();
    assert_eq!(after, before, "G10: nothing was stored");
}

/// The same key and content is the same commit, however far the stream has moved.
pub async fn a_repeat_is_answered_as_the_first(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let start = end_of_log(&*subject).await;
    let (ask, first) = keyed(&*subject).await;
    assert!(!first.replayed, "G10: the first answer is no repeat's");
    repeat(harness, &ask, &first).await;
    for last in 2..22 {
        commit(&*subject, &Ask::new(&ask.stream, Expect::Changeset(last))).await;
    }
    repeat(harness, &ask, &first).await;
    harness.settle().await;
    repeat(harness, &ask, &first).await;
    let placed = log(&*subject, start, 1000).await;
    let placed = of_streams(&placed, &[ask.stream]).len();
    assert_eq!(placed, 22, "G10: nothing was added to the global order");
}

/// The same holds if the expectation is by event, the first time, the second time or both times.
pub async fn a_place_is_the_same_by_event(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let (by_changeset, first) = keyed(&*subject).await;
    let by_event = Ask {
        expect: Expect::Event(3),
        ..by_changeset
    };
    repeat(harness, &by_event, &first).await;
    let ask = Ask::new(&by_event.stream, Expect::Event(4)).key("another");
    let first = commit(&*subject, &ask).await;
    fill(&*subject, &unique("other"), &[1]).await;
    repeat(harness, &ask, &first).await;
    let by_changeset = Ask {
        expect: Expect::Changeset(2),
        ..ask
    };
    repeat(harness, &by_changeset, &first).await;
}

/// In another stream, the same key belongs to another commit.
pub async fn a_key_may_be_used_elsewhere(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let (ask, _) = keyed(&*subject).await;
    let other = Ask {
        stream: unique("other"),
        expect: Expect::Changeset(0),
        ..ask
    };
    let committed = commit(&*subject, &other).await;
    assert_eq!(
        committed.changeset_id, 1,
        "G10: the commit is stored, not taken for a repeat"
    );
    repeat(harness, &other, &committed).await;
}

/// Many concurrent repeats are one commit, and all get the same answer.
pub async fn repeats_at_once_are_one_commit(harness: &mut dyn Harness) {
    let subject = harness.subject();
    for expect in [Expect::Changeset(0), Expect::Event(0)] {
        let name = unique("at-once");
        let tries = (0..16).map(|_| {
            let subject = Arc::clone(&subject);
            let ask = Ask::new(&name, expect).key("at once");
            async move { commit(&*subject, &ask).await }
        });
        let answers = together(tries).await;
        let same = answers
            .iter()
            .all(|answer| (answer.changeset_id, &answer.timestamp) == (1, &answers[0].timestamp));
        assert!(same, "G10: one answer for all, not {answers:?}");
        let stored = stream(&*subject, &name).await.len();
        assert_eq!(stored, 1, "G10: one changeset for all");
    }
}

/// The same key with other content is an error.
pub async fn a_key_stands_for_one_content(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let name = unique("content");
    let ask = Ask::new(&name, Expect::Changeset(0)).key("content");
    let ask = ask.events(r#"[{"a":1}]"#).metadata(r#"{"m":1}"#);
    let first = commit(&*subject, &ask).await;
    for events in [
        r#"[{"a":2}]"#,
        r#"[{"a":1},1]"#,
        r#"[{"a": 1}]"#,
        r#"[{"a":1.0}]"#,
    ] {
        refused(&*subject, &ask.clone().events(events), KEY_REUSED).await;
    }
    for metadata in ["{}", "null", r#"{"m": 1}"#, r#"{"m":1,"m":1}"#] {
        refused(&*subject, &ask.clone().metadata(metadata), KEY_REUSED).await;
    }
    let without = Ask {
        metadata: None,
        ..ask.clone()
    };
    refused(&*subject, &without, KEY_REUSED).await;
    repeat(harness, &ask, &first).await;
}

/// To leave out the metadata is to say `{}`, and nothing else.
pub async fn absent_metadata_is_an_empty_object(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let name = unique("absent");
    let absent = Ask::new(&name, Expect::Changeset(0)).key("absent");
    let first = commit(&*subject, &absent).await;
    repeat(harness, &absent.clone().metadata("{}"), &first).await;
    refused(&*subject, &absent.clone().metadata("{ }"), KEY_REUSED).await;
    refused(&*subject, &absent.clone().metadata("null"), KEY_REUSED).await;
    repeat(harness, &absent, &first).await;
}

/// Without its key, or with another one, the same content is another commit.
pub async fn content_alone_makes_no_repeat(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let (ask, _) = keyed(&*subject).await;
    for key in [None, Some("another"), Some("THE KEY"), Some("the key2")] {
        let other = Ask {
            key: key.map(str::to_owned),
            ..ask.clone()
        };
        let told = conflict(&*subject, &other).await;
        assert_eq!(
            told.items.len(),
            1,
            "G10: {key:?} is another key, so the commit conflicts"
        );
    }
    let unkeyed = Ask::new(&ask.stream, Expect::Changeset(2));
    commit(&*subject, &unkeyed).await;
    conflict(&*subject, &unkeyed).await;
}

/// A commit that was refused has not used up its key.
pub async fn a_refused_commit_leaves_its_key(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let name = unique("ahead");
    let ahead = Ask::new(&name, Expect::Changeset(1)).key("ahead");
    refused(&*subject, &ahead, AHEAD).await;
    fill(&*subject, &name, &[1]).await;
    let other = ahead.clone().events(events("now", 2));
    let first = commit(&*subject, &other).await;
    assert_eq!(
        first.changeset_id, 2,
        "G10: a refused commit does not use up its key"
    );
    let ahead = Ask {
        expect: Expect::Changeset(99),
        ..ahead
    };
    refused(&*subject, &ahead, KEY_REUSED).await;
    let early = Ask::new(&name, Expect::Event(0)).key("late");
    conflict(&*subject, &early).await;
    let late = Ask::new(&name, Expect::Changeset(2)).key("late");
    assert_eq!(commit(&*subject, &late).await.changeset_id, 3, "G10");
}

/// A key may be anything printable, from one character to 255.
pub async fn every_legal_key_is_kept(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let printable: String = ('!'..='~').collect();
    for key in ["k", "with space", "\"'\\%;,=", &printable, &"k".repeat(255)] {
        let ask = Ask::new(&unique("legal"), Expect::Changeset(0)).key(key);
        let first = commit(&*subject, &ask).await;
        repeat(harness, &ask, &first).await;
    }
}
