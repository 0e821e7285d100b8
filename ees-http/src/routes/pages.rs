//! The common part of reads of changesets and of events.

use std::cell::Cell;
use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::header::LINK;
use axum::response::Response;
use ees_core::adapter::parse_number;
use ees_core::{
    Changeset, Checkpoint, Direction, Error, EventCheckpoint, EventStore, GlobalEvent,
    GlobalEventPage, GlobalPage, MAX_ID, Onward, Page, PageLimit, Written,
};
use serde::Serialize;

use crate::answer::ok;
use crate::app::App;
use crate::context::RequestContext;
use crate::error::ApiError;
use crate::json::Raw;
use crate::link;
use crate::page::{Layout, next, write_page};
use crate::params::{GlobalRead, Start, StreamRead};

/// Answers a page of a stream, with a `Link` header to the next one. `item` writes an item with or
/// without details, `id` is its id in the stream, and `body` writes the body around the items.
pub(super) fn stream_page<'a, T, I: Serialize>(
    page: &'a Page<T>,
    read: &StreamRead,
    layout: Layout,
    item: impl Fn(&'a T, bool) -> I,
    id: impl Fn(&T) -> u64,
    body: impl Fn(Raw<'_>, Option<u64>) -> Vec<u8>,
) -> Response {
    let items = page.items.iter();
    let items = items.map(|found| item(found, read.common.details));
    let cursor = Cell::new(None);
    let next = |taken| {
        cursor.set(next(page, taken, read.direction, id));
        cursor.get()
    };
    let mut response = ok(write_page(layout, items, Some(MAX_ID), next, body));
    let link = cursor.get().and_then(|next| link::next_page(read, next));
    if let Some(link) = link {
        response.headers_mut().insert(LINK, link);
    }
    response
}

/// Reads a page of a stream. If the request has a `wait`, waits while the range holds nothing or the
/// stream does not exist.
pub(super) async fn read_stream<T, R: Future<Output = Result<Page<T>, Error>>>(
    app: &App,
    context: &RequestContext,
    read: &StreamRead,
    page: impl Fn() -> R,
) -> Result<Page<T>, ApiError> {
    let found = || async {
        match page().await {
            Err(missing @ Error::StreamNotFound { .. }) => Ok(Err(missing)),
            page => page.map(Ok),
        }
    };
    let is_nothing = |found: &Result<Page<T>, Error>| {
        let page = found.as_ref();
        page.map_or(true, |page| page.items.is_empty())
    };
    let wait = read.wait.time;
    let found = app.poll(&context.permit, wait, found, is_nothing).await?;
    Ok(found?)
}

/// A page of the global order: of changesets or of events.
pub(super) trait GlobalItems:
    Onward<Position: From<Checkpoint> + Display + Serialize + Send + Sync>
    + Send
    + Sync
    + Sized
    + 'static
{
    type Item;

    fn read(
        store: &EventStore,
        from: Self::Position,
        limit: PageLimit,
        direction: Direction,
    ) -> impl Future<Output = Result<Self, Error>> + Send;

    fn items(&self) -> &[Self::Item];

    /// Reads the text of a position.
    fn parse(text: &str) -> Option<Self::Position>;

    /// The position of an item.
    fn position(item: &Self::Item) -> Option<Self::Position>;

    /// The position that takes the most bytes.
    fn longest() -> Self::Position;
}

impl GlobalItems for GlobalPage {
    type Item = Changeset;

    async fn read(
        store: &EventStore,
        from: Checkpoint,
        limit: PageLimit,
        direction: Direction,
    ) -> Result<Self, Error> {
        match direction {
            Direction::Forward => store.poll_changesets(from, limit).await,
            Direction::Backward => store.global_changesets_before(from, limit).await,
        }
    }

    fn parse(text: &str) -> Option<Checkpoint> {
        Checkpoint::new(parse_number(text)?).ok()
    }

    fn items(&self) -> &[Changeset] {
        &self.changesets
    }

    fn position(changeset: &Changeset) -> Option<Checkpoint> {
        changeset.checkpoint
    }

    fn longest() -> Checkpoint {
        Checkpoint::FIRST.plus(MAX_ID)
    }
}

impl GlobalItems for GlobalEventPage {
    type Item = GlobalEvent;

    async fn read(
        store: &EventStore,
        from: EventCheckpoint,
        limit: PageLimit,
        direction: Direction,
    ) -> Result<Self, Error> {
        match direction {
            Direction::Forward => store.poll_events(from, limit).await,
            Direction::Backward => store.global_events_before(from, limit).await,
        }
    }

    fn parse(text: &str) -> Option<EventCheckpoint> {
        text.parse().ok()
    }

    fn items(&self) -> &[GlobalEvent] {
        &self.events
    }

    fn position(event: &GlobalEvent) -> Option<EventCheckpoint> {
        Some(event.checkpoint)
    }

    fn longest() -> EventCheckpoint {
        EventCheckpoint {
            changeset: GlobalPage::longest(),
            index: MAX_ID,
        }
    }
}

/// A page of the global order that was read.
pub(super) struct Found<P: GlobalItems> {
    /// Where the page begins.
    pub(super) from: P::Position,
    pub(super) page: P,
    /// With details: the end of the global order.
    pub(super) head: Option<u64>,
}

/// Where a read of the global order begins.
pub(super) async fn begin<P: GlobalItems>(
    app: &App,
    read: &GlobalRead<P::Position>,
) -> Result<P::Position, ApiError> {
    if let Some(store) = read.store {
        let check = app.store.check_store(store);
        app.in_time(Written::None, check).await?;
    }
    Ok(match read.from {
        Start::Beginning => Checkpoint::FIRST.into(),
        Start::Checkpoint(position) => position,
        Start::Head => {
            let head = app.store.next_checkpoint();
            app.in_time(Written::None, head).await?.into()
        }
    })
}

/// Reads a page of the global order, and waits for one if the request has a `wait`. The first page,
/// if it is empty, shows whether the checkpoint is beyond the head.
pub(super) async fn read_global<P: GlobalItems>(
    app: &App,
    context: &RequestContext,
    read: &GlobalRead<P::Position>,
) -> Result<Found<P>, ApiError> {
    let from = begin::<P>(app, read).await?;
    let store = app.store.with_filter(read.filter.clone());
    let is_checked = AtomicBool::new(!matches!(read.from, Start::Checkpoint(_)));
    let page = |from: P::Position| {
        let page = P::read(&store, from, read.page_limit(), read.direction);
        let is_checked = &is_checked;
        async move {
            let page = page.await?;
            let is_at_end = page.is_empty() && page.next() == from;
            if is_at_end && !is_checked.swap(true, Ordering::Relaxed) {
                app.store.check_checkpoint(from.into()).await?;
            }
            Ok(page)
        }
    };
    let page = app
        .poll_onward(&context.permit, from, read.wait.time, page)
        .await?;
    let head = if read.common.details {
        let head = app.store.next_checkpoint();
        Some(app.in_time(Written::None, head).await?.get())
    } else {
        None
    };
    Ok(Found { from, page, head })
}

/// Writes a page of the global order. `item` writes an item with or without details, and `body`
/// writes the body around the items.
pub(super) fn global_page<'a, P: GlobalItems, I: Serialize>(
    page: &'a P,
    read: &GlobalRead<P::Position>,
    layout: Layout,
    item: impl Fn(&'a P::Item, bool) -> I,
    body: impl Fn(Raw<'_>, P::Position) -> Vec<u8>,
) -> Vec<u8> {
    let items = page.items();
    let next = |taken: usize| {
        let cut = items.get(taken);
        let cut = match read.direction {
            Direction::Forward => cut,
            // Exclusive: the next page begins before the last one that was taken.
            Direction::Backward => cut.and_then(|_| items.get(taken.checked_sub(1)?)),
        };
        cut.and_then(P::position).unwrap_or_else(|| page.next())
    };
    let items = items.iter().map(|found| item(found, read.common.details));
    write_page(layout, items, P::longest(), next, body)
}
