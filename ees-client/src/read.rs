//! Reads of one stream, and of the global order up to its head.

use std::sync::Arc;
use std::time::Duration;

use ees_core::{
    ChangesetId, Checkpoint, Direction, EventId, Filter, Head, Statistics, StoreId, StreamId,
    Timestamp,
};
use futures_util::stream::{BoxStream, StreamExt, TryStreamExt, iter, try_unfold};
use serde::Deserialize;

use crate::item::{Item, Placed};
use crate::request::{Judging, request};
use crate::settings::Settings;
use crate::transport::{Answer, Send, store_id};
use crate::wire::GlobalPage;
use crate::{Error, place};

/// What is read of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamRead {
    /// The first number, inclusive: of a changeset, or of an event if events are read.
    pub from: Option<u64>,
    /// The last number, inclusive.
    pub to: Option<u64>,
    /// The order of the items.
    pub direction: Direction,
    /// The largest number of items that one request asks for.
    pub page_size: Option<usize>,
    /// How long the first page waits for an item.
    pub wait: Duration,
    /// Whether items have what is known of them with details only.
    pub details: bool,
}

impl Default for StreamRead {
    /// The whole stream, oldest first, as it is now.
    fn default() -> Self {
        Self {
            from: None,
            to: None,
            direction: Direction::Forward,
            page_size: None,
            wait: Duration::ZERO,
            details: false,
        }
    }
}

/// What is read of the global order, up to its head or down to its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlobalRead<P> {
    /// Where to begin: forward with this position, backward before it. Without one: with the first, or
    /// with the last.
    pub checkpoint: Option<P>,
    /// The order of the items.
    pub direction: Direction,
    /// What is selected.
    pub filter: Filter,
    /// The store to which the checkpoint belongs.
    pub store: Option<StoreId>,
    /// The largest number of items that one request asks for.
    pub page_size: usize,
    /// Whether items have what is known of them with details only.
    pub details: bool,
}

impl<P> Default for GlobalRead<P> {
    /// Everything, oldest first.
    fn default() -> Self {
        Self {
            checkpoint: None,
            direction: Direction::Forward,
            filter: Filter::default(),
            store: None,
            page_size: 1000,
            details: false,
        }
    }
}

/// The end of a stream.
#[derive(Deserialize)]
struct End {
    #[serde(rename = "last_changeset")]
    changeset: ChangesetId,
    #[serde(rename = "last_event")]
    event: EventId,
    #[serde(rename = "last_timestamp")]
    timestamp: Timestamp,
}

/// The counts of the store.
#[derive(Deserialize)]
struct Counts {
    statistics_version: Checkpoint,
    total_streams: u64,
    total_changesets: u64,
    total_events: u64,
    max_stream_length: u64,
}

/// The end of a stream.
pub(crate) async fn head(settings: &Settings, stream_id: &StreamId) -> Result<Head, Error> {
    let asked = Send::get(place::stream(stream_id)?);
    let read = |answer: &Answer| {
        let end: End = serde_json::from_slice(&answer.body)?;
        Ok(Head {
            last_changeset: end.changeset,
            last_event: end.event,
            last_timestamp: end.timestamp,
        })
    };
    request(settings, &asked, &Judging::default(), read).await
}

/// The counts of the store.
pub(crate) async fn statistics(settings: &Settings) -> Result<Statistics, Error> {
    let read = |answer: &Answer| {
        let counts: Counts = serde_json::from_slice(&answer.body)?;
        Ok(Statistics {
            version: counts.statistics_version,
            total_streams: counts.total_streams,
            total_changesets: counts.total_changesets,
            total_events: counts.total_events,
            max_stream_length: counts.max_stream_length,
        })
    };
    let asked = Send::get("/streams");
    request(settings, &asked, &Judging::default(), read).await
}

/// The items of a stream, page by page.
pub(crate) fn stream<T: Item>(
    settings: Arc<Settings>,
    stream_id: StreamId,
    read: StreamRead,
) -> BoxStream<'static, Result<T, Error>> {
    flat(try_unfold(Some(read), move |read| {
        let (settings, stream_id) = (Arc::clone(&settings), stream_id.clone());
        async move {
            let Some(mut read) = read else {
                return Ok(None);
            };
            let (items, next) = stream_page(&settings, &stream_id, &read).await?;
            read.wait = Duration::ZERO;
            match read.direction {
                Direction::Forward => read.from = next,
                Direction::Backward => read.to = next,
            }
            Ok(Some((items, next.map(|_| read))))
        }
    }))
}

/// One page of a stream, and where the next one begins.
pub(crate) async fn stream_page<T: Item>(
    settings: &Settings,
    stream_id: &StreamId,
    read: &StreamRead,
) -> Result<(Vec<T>, Option<u64>), Error> {
    let path = format!("{}/{}", place::stream(stream_id)?, T::KIND);
    let mut asked = Send::get(path)
        .given("from", read.from)
        .given("to", read.to)
        .given("limit", read.page_size)
        .given("direction", direction(read.direction))
        .given("details", read.details.then_some(true));
    if !read.wait.is_zero() {
        asked = asked.given("wait", Some(seconds(read.wait)));
        asked.wait = read.wait;
    }
    let read = |answer: &Answer| T::of_stream(&answer.body);
    request(settings, &asked, &Judging::default(), read).await
}

/// The items of the global order, page by page.
pub(crate) fn global<T: Placed>(
    settings: Arc<Settings>,
    read: GlobalRead<T::Position>,
) -> BoxStream<'static, Result<T, Error>> {
    flat(try_unfold(Some(read), move |read| {
        let settings = Arc::clone(&settings);
        async move {
            let Some(mut read) = read else {
                return Ok(None);
            };
            let place = read.checkpoint.map(|position| position.to_string());
            let page = global_page::<T>(&settings, place, &read, Duration::ZERO, false);
            let (page, answered) = page.await?;
            let next = page.next_checkpoint;
            let is_start = read.direction == Direction::Backward && next == T::FIRST;
            let is_end = is_start || (page.items.is_empty() && next == page.checkpoint);
            read.checkpoint = Some(next);
            // The pages after the first one are of the same store.
            read.store = read.store.or(answered);
            Ok(Some((page.items, (!is_end).then_some(read))))
        }
    }))
}

/// One page of the global order from a place on, and the store that answers. With a wait it waits for an
/// item.
pub(crate) async fn global_page<T: Placed>(
    settings: &Settings,
    place: Option<String>,
    read: &GlobalRead<T::Position>,
    wait: Duration,
    forever: bool,
) -> Result<(GlobalPage<T, T::Position>, Option<StoreId>), Error> {
    let store = read.store.or(settings.store);
    let asked = Send::get(format!("/{}", T::KIND)).given("checkpoint", place);
    let mut asked = asked
        .given("store", store)
        .given("limit", Some(read.page_size))
        .given("direction", direction(read.direction));
    if !wait.is_zero() {
        asked = asked.given("wait", Some(seconds(wait)));
        asked.wait = wait;
    }
    let asked = selecting(asked, &read.filter, read.details);
    let pages = |answer: &Answer| {
        let page = T::of_global(&answer.body)?;
        Ok((page, store_id(&answer.headers)))
    };
    let judging = Judging {
        store,
        forever,
        ..Judging::default()
    };
    request(settings, &asked, &judging, pages).await
}

/// Adds what is selected.
pub(crate) fn selecting(mut asked: Send, filter: &Filter, details: bool) -> Send {
    for prefix in filter.stream_prefixes() {
        asked = asked.given("stream_prefix", Some(prefix));
    }
    for event_type in filter.event_types() {
        asked = asked.given("event_type", Some(event_type));
    }
    asked.given("details", details.then_some(true))
}

fn direction(direction: Direction) -> Option<&'static str> {
    (direction == Direction::Backward).then_some("backward")
}

/// Whole seconds, at least one.
fn seconds(wait: Duration) -> u64 {
    wait.as_secs().max(1)
}

/// The items of pages, one by one.
fn flat<T: Item>(
    pages: impl futures_util::Stream<Item = Result<Vec<T>, Error>> + std::marker::Send + 'static,
) -> BoxStream<'static, Result<T, Error>> {
    pages
        .map_ok(|items| iter(items.into_iter().map(Ok)))
        .try_flatten()
        .boxed()
}
