//! What the cases share: to write streams, to read to the end, and to do things at the same time.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::value::RawValue;

use crate::subject::{
    Ask, Changeset, Committed, Event, Expect, Failure, GlobalEvent, GlobalRead, Head, Page, Read,
    Subject,
};

pub(crate) const CONFLICT: &str = "OPTIMISTIC_CONCURRENCY_EXCEPTION";
pub(crate) const AHEAD: &str = "INVALID_EXPECTED_CHANGESET_ID";
pub(crate) const KEY_REUSED: &str = "IDEMPOTENCY_KEY_REUSED";
pub(crate) const NOT_FOUND: &str = "STREAM_NOT_FOUND";
pub(crate) const TOO_LARGE: &str = "CHANGESET_TOO_LARGE";

/// The largest id there can be.
pub(crate) const MAX_ID: u64 = i64::MAX.cast_unsigned();

/// How much payload an answer may hold.
pub(crate) const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// The largest page of the global order.
pub(crate) const GLOBAL_LIMIT: u64 = 1000;

/// Longer than anything takes that need not be waited for.
pub(crate) const LONG: Duration = Duration::from_secs(20);

/// A JSON array of events that tell who wrote them and their number.
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

/// The values of a JSON array, each as it stands there.
pub(crate) fn split(array: &str) -> Vec<String> {
    let values: Vec<&RawValue> = serde_json::from_str(array).expect("events are a JSON array");
    values.iter().map(|value| value.get().to_owned()).collect()
}

/// Commits what must succeed.
pub(crate) async fn commit(subject: &dyn Subject, ask: &Ask) -> Committed {
    let result = subject.commit(ask).await;
    result.unwrap_or_else(|failure| panic!("G2: {:?} failed: {failure:?}", ask.expect))
}

/// Commits what must be refused, with this code.
pub(crate) async fn refused(subject: &dyn Subject, ask: &Ask, code: &str) -> Failure {
    match subject.commit(ask).await {
        Err(failure) if failure.code == code => failure,
        other => panic!("G12: {:?} should be {code}, but {other:?}", ask.expect),
    }
}

/// The changesets that a conflict tells of.
pub(crate) async fn conflict(subject: &dyn Subject, ask: &Ask) -> Page<Changeset> {
    let failure = refused(subject, ask, CONFLICT).await;
    failure
        .forthcoming
        .expect("G2: a conflict tells what came after the expectation")
}

/// Writes a new stream: changesets of so many events, one after another.
pub(crate) async fn fill(subject: &dyn Subject, stream: &str, sizes: &[u64]) -> Vec<Committed> {
    let mut committed = Vec::new();
    for (last, size) in (0..).zip(sizes) {
        let ask = Ask::new(stream, Expect::Changeset(last));
        let ask = ask.events(events(&format!("{stream}#{}", last + 1), *size));
        committed.push(commit(subject, &ask).await);
    }
    committed
}

/// Writes a new stream of one-event changesets that together hold more than two pages' bytes take.
pub(crate) async fn fill_large(subject: &dyn Subject, stream: &str, largest: usize) -> u64 {
    let bytes = largest.min(300 * 1024) - 2;
    let count = (PAGE_BYTES * 5 / 4 / bytes + 1) as u64;
    for last in 0..count {
        let ask = Ask::new(stream, Expect::Changeset(last)).events(events_of_size(bytes));
        commit(subject, &ask).await;
    }
    count
}

/// The end of a stream that must exist.
pub(crate) async fn head(subject: &dyn Subject, stream: &str) -> Head {
    let head = subject.head(stream).await;
    head.unwrap_or_else(|failure| panic!("G5: the head of `{stream}`: {failure:?}"))
}

/// One page of changesets.
pub(crate) async fn page(subject: &dyn Subject, stream: &str, read: Read) -> Page<Changeset> {
    let page = subject.changesets(stream, &read).await;
    page.unwrap_or_else(|failure| panic!("G5: {read:?} of `{stream}`: {failure:?}"))
}

/// One page of events.
pub(crate) async fn event_page(subject: &dyn Subject, stream: &str, read: Read) -> Page<Event> {
    let page = subject.events(stream, &read).await;
    page.unwrap_or_else(|failure| panic!("G5: {read:?} of `{stream}`: {failure:?}"))
}

/// A page holds no more than an answer may, unless it is one that is so large by itself.
pub(crate) fn assert_fits<T>(page: &[T], bytes: impl Fn(&T) -> usize) {
    let total: usize = page.iter().map(bytes).sum();
    let fits = total <= PAGE_BYTES || page.len() == 1;
    assert!(fits, "G5, G6: {total} bytes in one answer");
}

/// A range of changesets, page after page.
pub(crate) async fn pages(subject: &dyn Subject, stream: &str, read: Read) -> Vec<Page<Changeset>> {
    follow(read, |read| page(subject, stream, read)).await
}

/// A range of events, page after page.
pub(crate) async fn event_pages(
    subject: &dyn Subject,
    stream: &str,
    read: Read,
) -> Vec<Page<Event>> {
    follow(read, |read| event_page(subject, stream, read)).await
}

async fn follow<T, F: Future<Output = Page<T>>>(
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
        assert!(holds > 0, "G5: a page with a next one holds something");
        let side = if read.backward {
            &mut read.to
        } else {
            &mut read.from
        };
        assert_ne!(*side, Some(next), "G5: the next page is another one");
        *side = Some(next);
    }
}

/// The items of pages.
pub(crate) fn items<T>(pages: Vec<Page<T>>) -> Vec<T> {
    pages.into_iter().flat_map(|page| page.items).collect()
}

/// All changesets of a stream.
pub(crate) async fn stream(subject: &dyn Subject, stream: &str) -> Vec<Changeset> {
    items(pages(subject, stream, Read::default()).await)
}

/// All events of a stream.
pub(crate) async fn stream_events(subject: &dyn Subject, stream: &str) -> Vec<Event> {
    items(event_pages(subject, stream, Read::default()).await)
}

/// The end of the global order.
pub(crate) async fn end_of_log(subject: &dyn Subject) -> u64 {
    subject.next_checkpoint().await.expect("G6: the end")
}

/// A page of the global order; it is dense, as every page must be.
pub(crate) async fn log_page(subject: &dyn Subject, read: GlobalRead<u64>) -> Vec<Changeset> {
    let page = subject.global_changesets(&read).await.expect("G6: a page");
    let checkpoints: Vec<_> = page.changesets.iter().map(|c| c.checkpoint).collect();
    let dense: Vec<_> = (read.checkpoint..page.next_checkpoint).map(Some).collect();
    assert_eq!(checkpoints, dense, "G6: positions are dense, by {read:?}");
    let limit = read.limit.unwrap_or(10);
    assert!(
        page.changesets.len() as u64 <= limit,
        "G6: at most {limit} changesets"
    );
    page.changesets
}

/// The global order from a checkpoint to its end, read in pages of so many. It goes on to where the
/// end was when it began, at least, but not for ever behind others who write.
pub(crate) async fn log(subject: &dyn Subject, from: u64, limit: u64) -> Vec<Changeset> {
    let end = end_of_log(subject).await;
    let mut log = Vec::new();
    loop {
        let at = from + log.len() as u64;
        let page = log_page(subject, GlobalRead::from(at).limit(limit)).await;
        if page.is_empty() || at > end {
            return log;
        }
        log.extend(page);
    }
}

/// The global order's events from a checkpoint to its end, read in pages of so many; as far as
/// [`log`].
pub(crate) async fn event_log(
    subject: &dyn Subject,
    from: (u64, u64),
    limit: u64,
) -> Vec<GlobalEvent> {
    let end = end_of_log(subject).await;
    event_log_past(subject, from, limit, end).await
}

/// The global order's events from a checkpoint on, until there are no more or those of another
/// checkpoint have been read.
pub(crate) async fn event_log_past(
    subject: &dyn Subject,
    mut from: (u64, u64),
    limit: u64,
    last: u64,
) -> Vec<GlobalEvent> {
    let mut log = Vec::new();
    loop {
        let read = GlobalRead::from(from).limit(limit);
        let page = subject.global_events(&read).await.expect("G6: a page");
        assert!(
            page.events.len() as u64 <= limit,
            "G6: at most {limit} events"
        );
        if page.events.is_empty() {
            assert_eq!(page.next_checkpoint, from, "G6: nothing leads nowhere");
            return log;
        }
        assert!(page.next_checkpoint > from, "G6: a page leads on");
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

/// Runs tasks at the same time, on all threads there are.
pub(crate) async fn together<T: Send + 'static>(
    tasks: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let running: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
    let results = join_all(running).await.into_iter();
    results
        .map(|result| {
            // What a task says of the store is what the case says.
            result.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
        })
        .collect()
}
