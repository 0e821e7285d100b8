//! Writing streams.

use std::fmt::Write;

use super::{CONFLICT, PAGE_BYTES, Place, answered};
use crate::running::guarantee;
use crate::subject::{Ask, AskSet, Changeset, Committed, Expect, Failure, Page, Subject};

/// A JSON array of events that contain their writer and their number.
pub(crate) fn events(mark: &str, count: u64) -> String {
    let events: Vec<String> = (0..count)
        .map(|n| format!(r#"{{"by":"{mark}","n":{n}}}"#))
        .collect();
    format!("[{}]", events.join(","))
}

/// A JSON array of one event, so many bytes long.
pub(crate) fn events_of_size(bytes: usize) -> String {
    format!(r#"["{}"]"#, "x".repeat(bytes - 4))
}

/// What a commit asks for, for people.
fn described(ask: &Ask) -> String {
    let mut text = format!(
        "the commit to `{}`, which expects {},",
        short(&ask.stream),
        ask.expect
    );
    if let Some(key) = &ask.key {
        let _ = write!(text, " with the key `{}`,", short(key));
    }
    text
}

/// What a set asks for, for people.
fn described_set(ask: &AskSet) -> String {
    let (commits, checks) = (ask.commits.len(), ask.checks.len());
    let mut text = format!("the set of {commits} commits and {checks} checks");
    if let Some(key) = &ask.key {
        let _ = write!(text, " with the key `{}`", short(key));
    }
    text
}

/// The beginning of a long name.
fn short(name: &str) -> String {
    match name.char_indices().nth(80) {
        Some((end, _)) => format!("{}... ({} bytes)", &name[..end], name.len()),
        None => name.to_owned(),
    }
}

/// Commits what must succeed.
#[track_caller]
pub(crate) fn commit(subject: &dyn Subject, ask: &Ask) -> impl Future<Output = Committed> {
    commit_at(Place::here(), subject, ask)
}

pub(super) async fn commit_at(place: Place, subject: &dyn Subject, ask: &Ask) -> Committed {
    answered(place, &described(ask), subject.commit(ask)).await
}

/// Commits what must be refused, with this code.
#[track_caller]
pub(crate) fn refused(
    subject: &dyn Subject,
    ask: &Ask,
    code: &str,
) -> impl Future<Output = Failure> {
    refused_at(Place::here(), subject, ask, code)
}

pub(super) async fn refused_at(
    place: Place,
    subject: &dyn Subject,
    ask: &Ask,
    code: &str,
) -> Failure {
    let what = format!("{}: {}", guarantee(), described(ask));
    let answer = subject.commit(ask);
    let answer = place.wait(&format!("{what} is refused"), answer).await;
    assert_refused(place, &what, code, answer.map(|_| 1))
}

/// The refusal that an answer must be. An answer that is none has so many changesets.
fn assert_refused(place: Place, what: &str, code: &str, answer: Result<usize, Failure>) -> Failure {
    match answer {
        Err(failure) if failure.code == code => failure,
        Err(failure) => {
            let (found, message) = (&failure.code, &failure.message);
            place.fail(format!(
                "{what} is refused with {code}, but it is {found}: {message}"
            ))
        }
        Ok(stored) => place.fail(format!(
            "{what} is refused with {code}, but it was answered with {stored} changesets"
        )),
    }
}

/// Commits a set that must succeed.
#[track_caller]
pub(crate) fn commit_all(
    subject: &dyn Subject,
    ask: &AskSet,
) -> impl Future<Output = Vec<Committed>> {
    let place = Place::here();
    async move { answered(place, &described_set(ask), subject.commit_all(ask)).await }
}

/// Commits a set that must be refused, with this code.
#[track_caller]
pub(crate) fn refused_all(
    subject: &dyn Subject,
    ask: &AskSet,
    code: &str,
) -> impl Future<Output = Failure> {
    let place = Place::here();
    async move {
        let what = format!("{}: {}", guarantee(), described_set(ask));
        let answer = subject.commit_all(ask);
        let answer = place.wait(&format!("{what} is refused"), answer).await;
        assert_refused(place, &what, code, answer.map(|told| told.len()))
    }
}

/// The changesets that a conflict lists.
#[track_caller]
pub(crate) fn conflict(subject: &dyn Subject, ask: &Ask) -> impl Future<Output = Page<Changeset>> {
    let place = Place::here();
    async move {
        let failure = refused_at(place, subject, ask, CONFLICT).await;
        failure.forthcoming.unwrap_or_else(|| {
            place.fail(
                "G2: a conflict lists the changesets after the expectation, but it has no list",
            )
        })
    }
}

/// Writes a new stream: changesets of so many events, one after another.
#[track_caller]
pub(crate) fn fill(
    subject: &dyn Subject,
    stream: &str,
    sizes: &[u64],
) -> impl Future<Output = Vec<Committed>> {
    let place = Place::here();
    async move {
        let mut committed = Vec::new();
        for (last, size) in (0..).zip(sizes) {
            let ask = Ask::new(stream, Expect::Changeset(last));
            let ask = ask.events(events(&format!("{stream}#{}", last + 1), *size));
            committed.push(commit_at(place, subject, &ask).await);
        }
        committed
    }
}

/// Writes a new stream of one-event changesets that together hold more than two pages' bytes take.
#[track_caller]
pub(crate) fn fill_large(
    subject: &dyn Subject,
    stream: &str,
    largest: usize,
) -> impl Future<Output = u64> {
    let place = Place::here();
    async move {
        let bytes = largest.min(300 * 1024) - 2;
        let count = (PAGE_BYTES * 5 / 4 / bytes + 1) as u64;
        for last in 0..count {
            let ask = Ask::new(stream, Expect::Changeset(last)).events(events_of_size(bytes));
            commit_at(place, subject, &ask).await;
        }
        count
    }
}
