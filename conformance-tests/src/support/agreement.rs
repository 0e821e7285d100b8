//! The same calls to a store and to the model.

use super::writing::refused_at;
use super::{AHEAD, Place, answered};
use crate::model::{Model, bare_page};
use crate::subject::{Ask, Expect, Failure, Page, Read, Subject};

/// Commits what must succeed, to the store and to the model.
pub(crate) async fn commit_to_both(
    place: Place,
    subject: &dyn Subject,
    model: &mut Model,
    ask: &Ask,
) {
    let what = format!(
        "the commit to `{}`, which expects {},",
        ask.stream, ask.expect
    );
    let found = answered(place, &what, subject.commit(ask)).await;
    let expected = model.commit(ask).expect("the model commits it");
    let message = format!("G3: {what} gets the next ids");
    let found = (
        found.changeset_id,
        found.first_event_id,
        found.last_event_id,
    );
    let expected = (
        expected.changeset_id,
        expected.first_event_id,
        expected.last_event_id,
    );
    place.same(&found, &expected, &message);
}

/// The head of a stream is the model's.
pub(crate) async fn head_agrees(place: Place, subject: &dyn Subject, model: &Model, name: &str) {
    let what = format!("the read of the head of `{name}`");
    let head = answered(place, &what, subject.head(name)).await;
    let end = model.end(name).unwrap_or_default();
    let found = (head.last_changeset, head.last_event);
    let message = format!("G5: {what} has the last changeset and the last event");
    place.same(&found, &(end.changeset, end.event), &message);
}

/// A read of changesets and one of events, both ways, are answered as the model answers them.
pub(crate) async fn read_agrees(
    place: Place,
    subject: &dyn Subject,
    model: &Model,
    name: &str,
    read: Read,
) {
    for backward in [false, true] {
        let read = Read { backward, ..read };
        changesets_agree(place, subject, model, name, read).await;
        events_agree(place, subject, model, name, read).await;
    }
}

/// A read of changesets is answered as the model answers it.
pub(crate) async fn changesets_agree(
    place: Place,
    subject: &dyn Subject,
    model: &Model,
    name: &str,
    read: Read,
) {
    let what = format!("the read of changesets {read} of `{name}`");
    let found = bare_page(answered(place, &what, subject.changesets(name, &read)).await);
    let expected = model
        .changesets(name, &read)
        .expect("a stream of the model");
    let ids = |page: &Page<_>| ids(page, |c: &crate::subject::Changeset| c.changeset_id);
    agree(
        place,
        &what,
        (&found, ids(&found)),
        (&expected, ids(&expected)),
    );
}

/// A read of events is answered as the model answers it.
pub(crate) async fn events_agree(
    place: Place,
    subject: &dyn Subject,
    model: &Model,
    name: &str,
    read: Read,
) {
    let what = format!("the read of events {read} of `{name}`");
    let found = answered(place, &what, subject.events(name, &read)).await;
    let expected = model.events(name, &read).expect("a stream of the model");
    let ids = |page: &Page<_>| ids(page, |event: &crate::subject::Event| event.id);
    agree(
        place,
        &what,
        (&found, ids(&found)),
        (&expected, ids(&expected)),
    );
}

fn ids<T>(page: &Page<T>, id: impl Fn(&T) -> u64) -> (Vec<u64>, Option<u64>) {
    (page.items.iter().map(id).collect(), page.next)
}

type Answer<'a, T> = (&'a Page<T>, (Vec<u64>, Option<u64>));

/// First by ids, which are short, and then by everything.
fn agree<T: PartialEq + std::fmt::Debug>(
    place: Place,
    what: &str,
    (found, found_ids): Answer<'_, T>,
    (expected, expected_ids): Answer<'_, T>,
) {
    place.same(
        &found_ids,
        &expected_ids,
        &format!("G5: {what} gives these ids, and says where the next page begins"),
    );
    for (found, expected) in found.items.iter().zip(&expected.items) {
        place.same(
            found,
            expected,
            &format!("G5: {what} gives what was written"),
        );
    }
}

/// An expectation beyond a stream's head is refused. An outdated one gets a conflict, which lists
/// the changesets after the expectation and nothing else.
pub(crate) async fn expectations_agree(
    place: Place,
    subject: &dyn Subject,
    model: &Model,
    name: &str,
) {
    let end = model.end(name).unwrap_or_default();
    for expect in [
        Expect::Changeset(end.changeset + 1),
        Expect::Event(end.event + 1),
    ] {
        refused_at(place, subject, &Ask::new(name, expect), AHEAD).await;
    }
    let before = [
        Expect::Changeset(0),
        Expect::Changeset(end.changeset - 1),
        Expect::Event(end.event - 1),
    ];
    for expect in before {
        let found = subject.commit(&Ask::new(name, expect)).await;
        let told = found.err().and_then(|failure: Failure| failure.forthcoming);
        let told = told.map(bare_page).map(|page| page.items);
        let expected: Vec<_> = model
            .stream(name)
            .into_iter()
            .filter(|c| match expect {
                Expect::Changeset(last) => c.changeset_id > last,
                Expect::Event(last) => c.last_event_id > last,
            })
            .collect();
        let message = format!(
            "G2: a conflict in `{name}`, which expects {expect}, lists the changesets after it"
        );
        place.same(&told, &Some(expected), &message);
    }
}
