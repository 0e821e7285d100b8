//! Reading the global order.

use super::{Place, answered, split};
use crate::running::guarantee;
use crate::subject::{Changeset, GlobalEvent, GlobalEventPage, GlobalRead, Subject};

/// The end of the global order.
#[track_caller]
pub(crate) fn end_of_log(subject: &dyn Subject) -> impl Future<Output = u64> {
    end_at(Place::here(), subject)
}

async fn end_at(place: Place, subject: &dyn Subject) -> u64 {
    let what = "the read of the end of the global order";
    answered(place, what, subject.next_checkpoint()).await
}

/// A page of the global order; it is dense, as every page must be.
#[track_caller]
pub(crate) fn log_page(
    subject: &dyn Subject,
    read: GlobalRead<u64>,
) -> impl Future<Output = Vec<Changeset>> {
    log_page_at(Place::here(), subject, read)
}

async fn log_page_at(place: Place, subject: &dyn Subject, read: GlobalRead<u64>) -> Vec<Changeset> {
    let from = read.checkpoint;
    let limit = read.limit.unwrap_or(10);
    let what = format!("the read of {limit} changesets of the global order from {from} on");
    let call = async {
        let promise = format!("{}: {what} is answered", guarantee());
        let page = subject.global_changesets(&read);
        place.wait_longer(&promise, read.wait, page).await
    };
    let page = answered_later(place, &what, call).await;
    let checkpoints: Vec<_> = page.changesets.iter().map(|c| c.checkpoint).collect();
    let dense: Vec<_> = (from..page.next_checkpoint).map(Some).collect();
    let message = format!(
        "G6: positions are dense in {what}, which leads on to {}",
        page.next_checkpoint
    );
    place.same(&checkpoints, &dense, &message);
    place.check(page.changesets.len() as u64 <= limit, || {
        format!(
            "G6: {what} gives no more than that, but it gives {}",
            dense.len()
        )
    });
    page.changesets
}

/// As [`answered`], of a call that sees to its own time.
async fn answered_later<T>(
    place: Place,
    what: &str,
    call: impl Future<Output = Result<T, crate::subject::Failure>>,
) -> T {
    call.await.unwrap_or_else(|failure| {
        let (code, message) = (&failure.code, &failure.message);
        let guarantee = guarantee();
        place.fail(format!(
            "{guarantee}: {what} succeeds, but it is {code}: {message}"
        ))
    })
}

/// The global order from a checkpoint to its end, read in pages of so many. It goes on to where the
/// end was when it began, at least, but not for ever behind others who write.
#[track_caller]
pub(crate) fn log(
    subject: &dyn Subject,
    from: u64,
    limit: u64,
) -> impl Future<Output = Vec<Changeset>> {
    let place = Place::here();
    async move {
        let end = end_at(place, subject).await;
        let mut log = Vec::new();
        loop {
            let at = from + log.len() as u64;
            let page = log_page_at(place, subject, GlobalRead::from(at).limit(limit)).await;
            if page.is_empty() || at > end {
                return log;
            }
            log.extend(page);
        }
    }
}

/// The global order's events from a checkpoint to its end, read in pages of so many; as far as
/// [`log`].
#[track_caller]
pub(crate) fn event_log(
    subject: &dyn Subject,
    from: (u64, u64),
    limit: u64,
) -> impl Future<Output = Vec<GlobalEvent>> {
    let place = Place::here();
    async move {
        let end = end_at(place, subject).await;
        event_log_at(place, subject, from, limit, end).await
    }
}

/// The global order's events from a checkpoint on, until there are no more or those of another
/// checkpoint have been read.
#[track_caller]
pub(crate) fn event_log_past(
    subject: &dyn Subject,
    from: (u64, u64),
    limit: u64,
    last: u64,
) -> impl Future<Output = Vec<GlobalEvent>> {
    event_log_at(Place::here(), subject, from, limit, last)
}

async fn event_log_at(
    place: Place,
    subject: &dyn Subject,
    mut from: (u64, u64),
    limit: u64,
    last: u64,
) -> Vec<GlobalEvent> {
    let mut log = Vec::new();
    loop {
        let what = format!("the read of {limit} events of the global order from {from:?} on");
        let read = GlobalRead::from(from).limit(limit);
        let page: GlobalEventPage = answered(place, &what, subject.global_events(&read)).await;
        place.check(page.events.len() as u64 <= limit, || {
            let found = page.events.len();
            format!("G6: {what} gives no more than that, but it gives {found}")
        });
        if page.events.is_empty() {
            let message =
                format!("G6: {what}, which finds nothing, returns the requested checkpoint");
            place.same(&page.next_checkpoint, &from, &message);
            return log;
        }
        place.check(page.next_checkpoint > from, || {
            format!(
                "G6: {what} leads on, but it leads to {:?}",
                page.next_checkpoint
            )
        });
        from = page.next_checkpoint;
        log.extend(page.events);
        if from.0 > last {
            return log;
        }
    }
}

/// The events of changesets of the global order, as a reader of events has to get them.
pub(crate) fn flat(log: &[Changeset]) -> Vec<GlobalEvent> {
    let events_of = |changeset: &Changeset| {
        let position = changeset.checkpoint.expect("G6: a position");
        let (stream, id) = (changeset.stream.clone(), changeset.changeset_id);
        let first = changeset.first_event_id;
        (0..)
            .zip(split(&changeset.events))
            .map(move |(index, data)| GlobalEvent {
                stream: stream.clone(),
                changeset_id: id,
                event_id: first + index,
                data,
                checkpoint: (position, index),
            })
    };
    log.iter().flat_map(events_of).collect()
}

/// Those changesets of the global order that belong to these streams; others may write beside us.
pub(crate) fn of_streams(log: &[Changeset], streams: &[String]) -> Vec<Changeset> {
    let ours = log.iter().filter(|c| streams.contains(&c.stream));
    ours.cloned().collect()
}

/// The same without the positions, which a store that orders after the commit gives later.
pub(crate) fn unplaced(changesets: &[Changeset]) -> Vec<Changeset> {
    let strip = |changeset: &Changeset| Changeset {
        checkpoint: None,
        ..changeset.clone()
    };
    changesets.iter().map(strip).collect()
}
