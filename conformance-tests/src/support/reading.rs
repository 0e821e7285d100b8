//! Reading streams.

use super::{NOT_FOUND, PAGE_BYTES, Place, answered};
use crate::subject::{Changeset, Event, Head, Page, Read, Subject};

/// The end of a stream that must exist.
#[track_caller]
pub(crate) fn head(subject: &dyn Subject, stream: &str) -> impl Future<Output = Head> {
    let place = Place::here();
    async move {
        let what = format!("the read of the head of `{stream}`");
        answered(place, &what, subject.head(stream)).await
    }
}

/// One page of changesets.
#[track_caller]
pub(crate) fn page(
    subject: &dyn Subject,
    stream: &str,
    read: Read,
) -> impl Future<Output = Page<Changeset>> {
    page_at(Place::here(), subject, stream, read)
}

async fn page_at(place: Place, subject: &dyn Subject, stream: &str, read: Read) -> Page<Changeset> {
    let what = format!("the read of changesets {read} of `{stream}`");
    answered(place, &what, subject.changesets(stream, &read)).await
}

/// One page of events.
#[track_caller]
pub(crate) fn event_page(
    subject: &dyn Subject,
    stream: &str,
    read: Read,
) -> impl Future<Output = Page<Event>> {
    event_page_at(Place::here(), subject, stream, read)
}

async fn event_page_at(
    place: Place,
    subject: &dyn Subject,
    stream: &str,
    read: Read,
) -> Page<Event> {
    let what = format!("the read of events {read} of `{stream}`");
    answered(place, &what, subject.events(stream, &read)).await
}

/// A page holds no more than an answer may, unless it is one that is so large by itself.
#[track_caller]
pub(crate) fn assert_fits<T>(page: &[T], bytes: impl Fn(&T) -> usize) {
    let total: usize = page.iter().map(bytes).sum();
    let fits = total <= PAGE_BYTES || page.len() == 1;
    assert!(
        fits,
        "{}: an answer holds at most {PAGE_BYTES} bytes, but this one {total}",
        crate::running::guarantee()
    );
}

/// A range of changesets, page after page.
#[track_caller]
pub(crate) fn pages(
    subject: &dyn Subject,
    stream: &str,
    read: Read,
) -> impl Future<Output = Vec<Page<Changeset>>> {
    pages_at(Place::here(), subject, stream, read)
}

async fn pages_at(
    place: Place,
    subject: &dyn Subject,
    stream: &str,
    read: Read,
) -> Vec<Page<Changeset>> {
    follow(place, read, |read| page_at(place, subject, stream, read)).await
}

/// A range of events, page after page.
#[track_caller]
pub(crate) fn event_pages(
    subject: &dyn Subject,
    stream: &str,
    read: Read,
) -> impl Future<Output = Vec<Page<Event>>> {
    event_pages_at(Place::here(), subject, stream, read)
}

async fn event_pages_at(
    place: Place,
    subject: &dyn Subject,
    stream: &str,
    read: Read,
) -> Vec<Page<Event>> {
    follow(place, read, |read| {
        event_page_at(place, subject, stream, read)
    })
    .await
}

async fn follow<T, F: Future<Output = Page<T>>>(
    place: Place,
    mut read: Read,
    ask: impl Fn(Read) -> F,
) -> Vec<Page<T>> {
    let mut pages = Vec::new();
    loop {
        let page = ask(read).await;
        let next = page.next;
        let holds = page.items.len();
        pages.push(page);
        let Some(next) = next else { return pages };
        place.check(holds > 0, || {
            format!("G5: a page that leads on to {next} holds something, but {read} holds nothing")
        });
        let side = if read.backward {
            &mut read.to
        } else {
            &mut read.from
        };
        let is_other = *side != Some(next);
        *side = Some(next);
        place.check(is_other, || {
            format!("G5: a page leads on to another one, but {read} leads to itself")
        });
    }
}

/// The items of pages.
pub(crate) fn items<T>(pages: Vec<Page<T>>) -> Vec<T> {
    pages.into_iter().flat_map(|page| page.items).collect()
}

/// All changesets of a stream.
#[track_caller]
pub(crate) fn stream(subject: &dyn Subject, stream: &str) -> impl Future<Output = Vec<Changeset>> {
    let place = Place::here();
    async move { items(pages_at(place, subject, stream, Read::default()).await) }
}

/// How many changesets a stream has; 0 if it does not exist.
#[track_caller]
pub(crate) fn length(subject: &dyn Subject, name: &str) -> impl Future<Output = usize> {
    let place = Place::here();
    async move {
        match subject.head(name).await {
            Err(failure) if failure.code == NOT_FOUND => 0,
            _ => items(pages_at(place, subject, name, Read::default()).await).len(),
        }
    }
}

/// All events of a stream.
#[track_caller]
pub(crate) fn stream_events(
    subject: &dyn Subject,
    stream: &str,
) -> impl Future<Output = Vec<Event>> {
    let place = Place::here();
    async move { items(event_pages_at(place, subject, stream, Read::default()).await) }
}
