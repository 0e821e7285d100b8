//! G10: a client's key belongs to its stream for ever.

use std::sync::Arc;

use super::idempotent::{keyed, repeat};
use crate::Harness;
use crate::subject::{Ask, Expect, unique};
use crate::support::{
    AHEAD, CONFLICT, KEY_REUSED, commit, conflict, events, fill, refused, stream, together,
};

/// A key is found far behind the head, whatever the commit expects: outdated, at the head, ahead, or
/// a new stream.
pub async fn a_key_is_found_whatever_is_expected(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let (ask, first) = keyed(&*subject).await;
    for last in 2..40 {
        commit(&*subject, &Ask::new(&ask.stream, Expect::Changeset(last))).await;
    }
    for expect in anywhere(40) {
        let elsewhere = Ask {
            expect,
            ..ask.clone()
        };
        repeat(harness, &elsewhere, &first).await;
    }
}

/// Expectations of a stream of so many changesets of which all but one have one event.
fn anywhere(last: u64) -> [Expect; 8] {
    [
        Expect::Changeset(0),
        Expect::Event(0),
        Expect::Event(2),
        Expect::Changeset(last / 2),
        Expect::Changeset(last),
        Expect::Changeset(last + 1),
        Expect::Changeset(last + 1000),
        Expect::Event(last + 1000),
    ]
}

/// With another content it is refused, and the answer tells of the changeset that has the key.
pub async fn a_reused_key_tells_of_its_changeset(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let (ask, first) = keyed(&*subject).await;
    for last in 2..20 {
        commit(&*subject, &Ask::new(&ask.stream, Expect::Changeset(last))).await;
    }
    for expect in anywhere(20) {
        let other = Ask {
            expect,
            ..ask.clone().events(events("decided otherwise", 1))
        };
        let failure = refused(&*subject, &other, KEY_REUSED).await;
        let found = failure
            .has_the_key
            .expect("G10: the answer has the changeset");
        let told = (found.changeset_id, &found.events, &found.timestamp);
        let wanted = (first.changeset_id, &ask.events, &first.timestamp);
        assert_eq!(told, wanted, "G10: the changeset that has the key");
        assert_eq!(found.idempotency_key, ask.key, "G10: its key");
    }
    let stored = stream(&*subject, &ask.stream).await.len();
    assert_eq!(stored, 20, "G10: nothing was stored");
}

/// Of commits with one key and different expectations, at once, one is stored. The others are
/// answered as it was, or refused by their expectation before it was stored.
pub async fn a_key_wins_once_whatever_is_expected(harness: &mut dyn Harness) {
    let subject = harness.subject();
    for round in 0..8 {
        let name = unique("one-key");
        fill(&*subject, &name, &[1, 1]).await;
        let tries = (0..12_u64).map(|n| {
            let subject = Arc::clone(&subject);
            let key = (n % 3 < 2).then(|| format!("round {round}"));
            let mut ask = Ask::new(&name, Expect::Changeset(2 + n % 4));
            ask.key = key;
            async move { (ask.key.is_some(), subject.commit(&ask).await) }
        });
        let answers = together(tries).await;
        let stored = stream(&*subject, &name).await;
        let key = Some(format!("round {round}"));
        let having = stored.iter().filter(|c| c.idempotency_key == key);
        let having: Vec<u64> = having.map(|c| c.changeset_id).collect();
        assert!(having.len() <= 1, "G10: one key in {having:?}");
        for (_, answer) in answers.iter().filter(|(keyed, _)| *keyed) {
            match answer {
                Ok(committed) => {
                    assert_eq!(having, [committed.changeset_id], "G10: {committed:?}");
                }
                Err(failure) => {
                    let by_expectation = [CONFLICT, AHEAD].contains(&failure.code.as_str());
                    assert!(by_expectation, "G10: {failure:?}");
                }
            }
        }
    }
}

/// A key that stands is found after the store was closed and opened again.
pub async fn a_key_is_found_after_a_restart(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let (ask, first) = keyed(&*subject).await;
    fill(&*subject, &unique("other"), &[1]).await;
    drop(subject);
    harness.restart().await;
    if !harness.capabilities().durable {
        return;
    }
    for expect in [
        Expect::Changeset(1),
        Expect::Changeset(2),
        Expect::Event(99),
    ] {
        let elsewhere = Ask {
            expect,
            ..ask.clone()
        };
        repeat(harness, &elsewhere, &first).await;
    }
}

/// Keys that begin with `ees-` are the store's own: one counts only directly behind the expectation.
pub async fn a_key_of_the_store_counts_at_its_place(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let name = unique("own");
    fill(&*subject, &name, &[3]).await;
    let ask = Ask::new(&name, Expect::Changeset(1)).key("ees-sent back");
    let first = commit(&*subject, &ask).await;
    repeat(harness, &ask, &first).await;
    for expect in [Expect::Changeset(0), Expect::Event(0), Expect::Event(2)] {
        let elsewhere = Ask {
            expect,
            ..ask.clone()
        };
        conflict(&*subject, &elsewhere).await;
    }
    let ahead = Ask {
        expect: Expect::Changeset(9),
        ..ask.clone()
    };
    refused(&*subject, &ahead, AHEAD).await;
    let further = Ask {
        expect: Expect::Changeset(2),
        ..ask
    };
    let committed = commit(&*subject, &further).await;
    assert_eq!(committed.changeset_id, 3, "G10: it is another commit");
}

/// Reads tell the key of each changeset, and one that the store made can be sent back.
pub async fn reads_tell_keys(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let (ask, _) = keyed(&*subject).await;
    let stored = stream(&*subject, &ask.stream).await;
    assert_eq!(stored[1].idempotency_key, ask.key, "G10: the client's key");
    let made = stored[0].idempotency_key.clone();
    let made = made.expect("G10: the store made a key");
    assert!(made.starts_with("ees-"), "G10: {made} is the store's own");
    let again = Ask::new(&ask.stream, Expect::Changeset(0));
    let again = again.events(stored[0].events.clone()).key(made);
    let again = commit(&*subject, &again).await;
    assert_eq!((again.changeset_id, again.replayed), (1, true), "G10");
}

/// The id of changesets without a key cannot be sent as one.
pub async fn the_key_of_none_is_refused(harness: &mut dyn Harness) {
    let subject = harness.subject();
    let ask = Ask::new(&unique("none"), Expect::Changeset(0)).key("ees-none");
    refused(&*subject, &ask, "INVALID_IDEMPOTENCY_KEY").await;
}
