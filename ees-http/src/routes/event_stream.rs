//! Answers a read of the global order with server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use ees_core::{
    Changeset, Checkpoint, Direction, Error, EventCheckpoint, EventStore, GlobalEvent,
    GlobalEventPage, GlobalPage, PageLimit, Written,
};
use futures_util::future::BoxFuture;
use futures_util::stream::{iter, once, unfold};
use futures_util::{FutureExt, StreamExt};
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::pages::{GlobalItems, begin};
use crate::access::Caller;
use crate::answer::{ChangesetItem, GlobalEventItem};
use crate::app::App;
use crate::clients::Client;
use crate::codes;
use crate::context::RequestContext;
use crate::error::ApiError;
use crate::event_stream::{BEGINNING, EVENT_STREAM, KEEP_ALIVE, last_event_id, write};
use crate::finish::Endless;
use crate::long_work::{Payload, bytes_of};
use crate::params::{GlobalRead, Start};
use crate::permit::Permit;
use crate::pieces::Pieces;

/// The most that a stream holds in memory; a larger item comes alone.
const CHUNK: PageLimit = PageLimit {
    items: 256,
    bytes: 64 * 1024,
};

/// What an event takes beside its payload, about.
const ITEM_BYTES: usize = 200;

/// How long a stream waits for an event before it sends something else.
const SILENCE: Duration = Duration::from_secs(15);

/// A filter that passed as many changesets tells the client, so that it need not look at them again.
const LONG_STRETCH: u64 = 1000;

/// Tells nginx not to collect the answer.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Pages whose items can be sent as events.
pub(super) trait Sent: GlobalItems<Item: Payload> {
    /// Writes an item with its position.
    fn write(text: &mut Vec<u8>, item: &Self::Item, position: Self::Position, details: bool);

    /// The position behind an item.
    fn behind(position: Self::Position) -> Self::Position;

    /// How many changesets were passed from a position to where the next page begins, and the last
    /// position of them; `None` if there are none.
    fn passed(from: Self::Position, next: Self::Position) -> Option<(u64, Self::Position)>;
}

impl Sent for GlobalPage {
    fn write(text: &mut Vec<u8>, item: &Changeset, position: Checkpoint, details: bool) {
        write(
            text,
            "changeset",
            position,
            &ChangesetItem::of_all(item, details),
        );
    }

    fn behind(position: Checkpoint) -> Checkpoint {
        position.plus(1)
    }

    fn passed(from: Checkpoint, next: Checkpoint) -> Option<(u64, Checkpoint)> {
        let stretch = next
            .get()
            .checked_sub(from.get())
            .filter(|passed| *passed > 0)?;
        Some((stretch, from.plus(stretch - 1)))
    }
}

impl Sent for GlobalEventPage {
    fn write(text: &mut Vec<u8>, item: &GlobalEvent, position: EventCheckpoint, details: bool) {
        write(
            text,
            "event",
            position,
            &GlobalEventItem::new(item, details),
        );
    }

    fn behind(position: EventCheckpoint) -> EventCheckpoint {
        EventCheckpoint {
            index: position.index.saturating_add(1),
            ..position
        }
    }

    /// Nothing of the last changeset was sent, so its first event stands for it.
    fn passed(from: EventCheckpoint, next: EventCheckpoint) -> Option<(u64, EventCheckpoint)> {
        let whole = from.changeset.plus(u64::from(from.index > 0));
        let (stretch, last) = GlobalPage::passed(whole, next.changeset)?;
        Some((stretch, last.into()))
    }
}

/// A reader of the order, and its place.
struct Follower<P: Sent> {
    app: App,
    store: EventStore,
    from: P::Position,
    /// The position behind what the client was told.
    told: P::Position,
    filter: Filter,
    /// The read that waits for the next page, while the stream is silent.
    waiting: Option<Waiting<P>>,
    details: bool,
    /// What was read before the answer began.
    read: Option<(P, Permit)>,
    /// The read of the next page, while the client takes the one before it.
    ahead: Option<Ahead<P>>,
    has_ended: bool,
    /// Who called, if the host asks.
    caller: Option<Caller>,
    /// Who reads, if a server of this crate knows.
    client: Option<Client>,
    _open: OwnedSemaphorePermit,
}

/// How far the filter of a stream has come.
enum Filter {
    /// There is none.
    None,
    /// It has not reached the head yet.
    CatchingUp,
    /// It has reached the head once.
    AtHead,
}

/// A read that waits for a page that is not empty.
type Waiting<P> = BoxFuture<'static, Result<(P, Permit), ApiError>>;

/// A read that goes on while the client takes what was read before; `None` if it failed, or if there is
/// no room for its page.
type Ahead<P> = AbortOnDropHandle<Option<(P, Permit)>>;

/// The data of an event that says how far a filter looked.
#[derive(Serialize)]
struct Passed<C> {
    next_checkpoint: C,
}

/// Answers with an event stream. The first read comes before the answer, so that its error is one.
pub(super) async fn follow<P: Sent>(
    app: &App,
    context: &RequestContext,
    headers: &HeaderMap,
    mut read: GlobalRead<P::Position>,
) -> Result<Response, ApiError> {
    if app.options.max_event_streams == 0 {
        let message = "this host sends no event streams; use a long poll (`wait=20`) instead";
        let status = StatusCode::NOT_ACCEPTABLE;
        return Err(ApiError::new(
            status,
            codes::NOT_ACCEPTABLE,
            message.to_owned(),
        ));
    }
    if read.direction == Direction::Backward {
        let message = "`direction=backward`: an event stream goes forward";
        return Err(ApiError::bad_request(
            codes::INVALID_PARAMETER,
            message.to_owned(),
        ));
    }
    if let Some(position) = last_event_id(headers, P::parse)? {
        read.from = Start::Checkpoint(P::behind(position));
    }
    let open = app.gate.open_event_stream()?;
    let store = app.store.with_filter(read.filter.clone());
    let from = begin::<P>(app, &read).await?;
    let client = context.permit.client().cloned();
    let permit = Permit::of(client.clone());
    let first = async {
        app.gate.take_turn(&permit).await;
        let page = P::read(&store, from, CHUNK, Direction::Forward).await?;
        if page.is_empty() && page.next() == from && matches!(read.from, Start::Checkpoint(_)) {
            store.check_checkpoint(from.into()).await?;
        }
        Ok::<_, Error>(page)
    };
    let first = app.in_time(Written::None, first).await?;
    let read_already = (!first.is_empty()).then_some((first, permit));
    let follower = Follower {
        app: app.clone(),
        store,
        from,
        told: from,
        filter: if read.filter.is_unlimited() {
            Filter::None
        } else {
            Filter::CatchingUp
        },
        waiting: None,
        details: read.common.details,
        read: read_already,
        ahead: None,
        has_ended: false,
        caller: context.caller.get().cloned(),
        client,
        _open: open,
    };
    let beginning = once(async { Ok(Bytes::from_static(BEGINNING.as_bytes())) });
    let chunks = unfold(follower, |mut follower| async {
        let chunk = follower.next_while_allowed().await?;
        Some((iter(chunk.map(Ok::<_, Infallible>)), follower))
    });
    let headers = [
        (CONTENT_TYPE, EVENT_STREAM),
        (CACHE_CONTROL, "no-store"),
        (BUFFERING, "no"),
    ];
    let mut response = (
        headers,
        Body::from_stream(beginning.chain(chunks.flatten())),
    )
        .into_response();
    response.extensions_mut().insert(Endless);
    Ok(response)
}

impl<P: Sent> Follower<P> {
    /// The next bytes to send; `None` also when the caller's key is revoked or expires.
    async fn next_while_allowed(&mut self) -> Option<Pieces> {
        // The next step is the server's.
        let _running = self.client.as_ref().map(Client::runs);
        let Some(caller) = self.caller.clone() else {
            return self.next().await;
        };
        tokio::select! {
            chunk = self.next() => chunk,
            () = caller.ended() => None,
        }
    }

    /// The next bytes to send; `None` when the stream ends: at a shutdown, when the storage fails, or
    /// when there is no room for the bytes.
    async fn next(&mut self) -> Option<Pieces> {
        if self.has_ended {
            return None;
        }
        let read = match self.read_before().await {
            Some(read) => Some(read),
            None => self.wait().await.inspect_err(tell).ok()?,
        };
        let client = self.client.clone();
        let is_half_closed = client.as_ref().is_some_and(Client::is_half_closed);
        self.has_ended = self.app.options.closing.is_cancelled() || is_half_closed;
        let (text, permit) = match read {
            Some((page, permit)) => {
                let text = self.text(&page);
                self.read_ahead(&page);
                (text, permit)
            }
            None => (KEEP_ALIVE.into(), Permit::of(client)),
        };
        let room = self.app.gate.answer(&permit, text.len()).await;
        room.inspect_err(tell).ok()?;
        Some(permit.keep(text))
    }

    /// The page that was read before the client could take it, unless it is empty.
    async fn read_before(&mut self) -> Option<(P, Permit)> {
        if let Some(read) = self.read.take() {
            return Some(read);
        }
        let (page, permit) = self.ahead.take()?.await.ok()??;
        self.from = page.next();
        (!page.is_empty()).then_some((page, permit))
    }

    /// Begins to read the next page, if this one shows that the client is behind: it has many items, and
    /// is half full at least. The page then waits for the client without its turn, and with room.
    fn read_ahead(&mut self, page: &P) {
        let (items, bytes) = (page.items().len(), bytes_of(page.items()));
        if items < 2 || (items < CHUNK.items / 2 && bytes < CHUNK.bytes / 2) || self.has_ended {
            return;
        }
        let (app, store, from) = (self.app.clone(), self.store.clone(), self.from);
        let permit = Permit::of(self.client.clone());
        self.ahead = Some(AbortOnDropHandle::new(tokio::spawn(async move {
            app.gate.take_turn(&permit).await;
            let read = P::read(&store, from, CHUNK, Direction::Forward);
            let page = app.in_time(Written::None, read).await.ok()?;
            permit.release();
            let has_room = app.gate.answer_ahead(&permit, bytes_of(page.items()));
            has_room.then_some((page, permit))
        })));
    }

    /// Waits for a page, for as long as a stream may be silent. A filter that passed a long stretch on
    /// its way to the head says so at once.
    async fn wait(&mut self) -> Result<Option<(P, Permit)>, ApiError> {
        if matches!(self.filter, Filter::None) {
            return self.wait_onward().await;
        }
        loop {
            let permit = Permit::of(self.client.clone());
            let read = |from| P::read(&self.store, from, CHUNK, Direction::Forward);
            if matches!(self.filter, Filter::AtHead) {
                let page = self
                    .app
                    .poll_onward(&permit, self.from, SILENCE, read)
                    .await?;
                return Ok(Some((page, permit)));
            }
            self.app.gate.take_turn(&permit).await;
            let page = self.app.in_time(Written::None, read(self.from)).await?;
            if !page.is_empty() || self.passed(&page) >= LONG_STRETCH {
                return Ok(Some((page, permit)));
            }
            self.filter = Filter::AtHead;
            self.from = page.next();
        }
    }

    /// The same without a filter. A silent stream goes on with the same read, so that it costs no other.
    async fn wait_onward(&mut self) -> Result<Option<(P, Permit)>, ApiError> {
        let mut waiting = match self.waiting.take() {
            Some(waiting) => waiting,
            None => self.onward(),
        };
        if let Ok(read) = timeout(SILENCE, &mut waiting).await {
            return read.map(Some);
        }
        self.waiting = Some(waiting);
        Ok(None)
    }

    fn onward(&self) -> Waiting<P> {
        let (app, store, from) = (self.app.clone(), self.store.clone(), self.from);
        let permit = Permit::of(self.client.clone());
        async move {
            let read = |from| P::read(&store, from, CHUNK, Direction::Forward);
            let page = app.follow_onward(&permit, from, read).await?;
            Ok((page, permit))
        }
        .boxed()
    }

    /// How many changesets a filter passed since the client was told something.
    fn passed(&self, page: &P) -> u64 {
        P::passed(self.told, page.next()).map_or(0, |(stretch, _)| stretch)
    }

    /// Writes a page, and moves on behind it.
    fn text(&mut self, page: &P) -> Vec<u8> {
        let mut text = Vec::with_capacity(bytes_of(page.items()) + ITEM_BYTES * page.items().len());
        for item in page.items() {
            if let Some(position) = P::position(item) {
                P::write(&mut text, item, position, self.details);
                self.told = P::behind(position);
            }
        }
        if let Some((stretch, id)) = P::passed(self.told, page.next())
            && (stretch >= LONG_STRETCH || page.is_empty())
        {
            let next_checkpoint = page.next();
            write(&mut text, "checkpoint", id, &Passed { next_checkpoint });
            self.told = page.next();
        }
        if text.is_empty() {
            text.extend_from_slice(KEEP_ALIVE.as_bytes());
        }
        self.from = page.next();
        text
    }
}

fn tell(error: &ApiError) {
    let code = error.code.as_str();
    tracing::warn!(code, "an event stream ends: {}", error.message);
}
