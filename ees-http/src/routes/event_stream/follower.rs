//! Reads page after page, and makes the bytes of an event stream of them.

use std::time::Duration;

use ees_core::{Direction, EventStore, PageLimit, Written};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::sent::{Sent, size_of};
use crate::access::Caller;
use crate::app::App;
use crate::clients::Client;
use crate::error::ApiError;
use crate::event_stream::{KEEP_ALIVE, write};
use crate::long_work::bytes_of;
use crate::permit::Permit;
use crate::pieces::Pieces;

/// The size of a page; a larger item comes alone. A stream holds two pages in memory at most: the one that is
/// sent, and the next one.
pub(super) const CHUNK: PageLimit = PageLimit {
    items: 512,
    bytes: 128 * 1024,
};

/// How long a stream waits for an event before it sends something else.
const SILENCE: Duration = Duration::from_secs(15);

/// A filter that passed as many changesets tells the client, so that it need not look at them again.
const LONG_STRETCH: u64 = 1000;

/// A reader of the order, and its place.
pub(super) struct Follower<P: Sent> {
    app: App,
    /// The store with the reader's filter.
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
    /// The read of the next page, while the one before it is written and taken.
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

/// A read that goes on while the client gets what was read before; `None` if it failed, or if there is no
/// room for its page.
type Ahead<P> = BoxFuture<'static, Option<(P, Permit)>>;

/// The data of an event that says how far a filter looked.
#[derive(Serialize)]
struct Passed<C> {
    next_checkpoint: C,
}

/// Who follows, and how.
pub(super) struct Reader {
    pub(super) is_filtered: bool,
    pub(super) details: bool,
    pub(super) caller: Option<Caller>,
    pub(super) client: Option<Client>,
    pub(super) open: OwnedSemaphorePermit,
}

impl<P: Sent> Follower<P> {
    /// A reader that begins at a position. `read` is what was read there before the answer began.
    pub(super) fn new(
        app: &App,
        store: EventStore,
        from: P::Position,
        read: Option<(P, Permit)>,
        reader: Reader,
    ) -> Self {
        Self {
            app: app.clone(),
            store,
            from,
            told: from,
            filter: if reader.is_filtered {
                Filter::CatchingUp
            } else {
                Filter::None
            },
            waiting: None,
            details: reader.details,
            read,
            ahead: None,
            has_ended: false,
            caller: reader.caller,
            client: reader.client,
            _open: reader.open,
        }
    }

    /// The next bytes to send; `None` also when the caller's key is revoked or expires.
    pub(super) async fn next_while_allowed(&mut self) -> Option<Pieces> {
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
                // Before the next page is read, which takes only what room is left.
                let room = self.app.gate.answer(&permit, size_of(&page)).await;
                room.inspect_err(tell).ok()?;
                self.read_ahead(&page);
                (self.text(&page), permit)
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
        let (page, permit) = self.ahead.take()?.await?;
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
        let (app, store, from) = (self.app.clone(), self.store.clone(), page.next());
        let permit = Permit::of(self.client.clone());
        let mut read = async move {
            app.gate.take_turn(&permit).await;
            let read = P::read(&store, from, CHUNK, Direction::Forward);
            let page = app.in_time(Written::None, read).await.ok()?;
            permit.release();
            let has_room = app.gate.answer_ahead(&permit, bytes_of(page.items()));
            has_room.then_some((page, permit))
        }
        .boxed();
        // The storage begins at once: a new task would wait until this one has written its page.
        self.ahead = Some(match (&mut read).now_or_never() {
            Some(read) => ready(read).boxed(),
            None => AbortOnDropHandle::new(tokio::spawn(read))
                .map(|read| read.ok().flatten())
                .boxed(),
        });
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
        let mut text = Vec::with_capacity(size_of(page));
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
