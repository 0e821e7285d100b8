//! The client.

use std::sync::Arc;
use std::time::Duration;

use ees_core::{
    Checkpoint, EventCheckpoint, Head, NewChangeset, NewSet, Statistics, StoreId, StreamId,
};
use futures_util::stream::BoxStream;

use crate::authorize::{Authorize, Bearer};
use crate::follow::{self, Batch, Follow};
use crate::model::{Changeset, Committed, CommittedSet, Event};
use crate::read::{self, GlobalRead, StreamRead};
use crate::settings::{Retry, Settings};
use crate::{Error, commit};

/// A stream of results without a borrow.
pub type Results<T> = BoxStream<'static, Result<T, Error>>;

/// A client of an event store. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct EventStore(Arc<Settings>);

impl EventStore {
    /// A client of the store at this address.
    ///
    /// # Errors
    /// [`Error::Refused`] as [`Builder::build`].
    pub fn new(url: &str) -> Result<Self, Error> {
        Self::builder(url).build()
    }

    /// A client of the store at this address, with settings.
    pub fn builder(url: &str) -> Builder {
        Builder {
            url: url.trim_end_matches('/').to_owned(),
            store: None,
            timeout: Duration::from_secs(30),
            retry: Retry::default(),
            on_retry: None,
            authorize: Ok(None),
            http: None,
        }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0
    }

    /// Appends events as the next changeset of a stream, at most once.
    ///
    /// A commit without an idempotency key gets one from this call, so that its tries are recognised.
    /// Give the id of a command as the key, so that a repeat of the command by another process is
    /// recognised too.
    ///
    /// # Errors
    /// [`Error::Conflict`], [`Error::KeyReused`]; [`Error::Unavailable`] and [`Error::Transport`] tell
    /// whether anything may have been written; and every other [`Error`] of an answer.
    pub async fn commit(&self, commit: &NewChangeset) -> Result<Committed, Error> {
        commit::commit(&self.0, commit).await
    }

    /// Appends changesets to several streams, at most once: all of them, or none. The idempotency key
    /// belongs to the whole set; otherwise as [`EventStore::commit`].
    ///
    /// # Errors
    /// [`Error::SetConflict`]; [`Error::Refused`] if a commit of the set has a key of its own; otherwise
    /// as [`EventStore::commit`].
    pub async fn commit_all(&self, set: &NewSet) -> Result<CommittedSet, Error> {
        commit::commit_all(&self.0, set).await
    }

    /// The end of a stream.
    ///
    /// # Errors
    /// [`Error::StreamNotFound`], and every other [`Error`] of an answer.
    pub async fn head(&self, stream_id: &StreamId) -> Result<Head, Error> {
        read::head(&self.0, stream_id).await
    }

    /// The counts of the store. They are exact for all checkpoints below their version.
    ///
    /// # Errors
    /// Every [`Error`] of an answer.
    pub async fn statistics(&self) -> Result<Statistics, Error> {
        read::statistics(&self.0).await
    }

    /// The changesets of a stream, page by page.
    ///
    /// # Errors
    /// The stream ends with [`Error::StreamNotFound`], or every other [`Error`] of an answer.
    pub fn read_changesets(&self, stream_id: &StreamId, read: StreamRead) -> Results<Changeset> {
        read::stream(Arc::clone(&self.0), stream_id.clone(), read)
    }

    /// One page of a stream's changesets, and where the next page begins.
    ///
    /// # Errors
    /// [`Error::StreamNotFound`], and every other [`Error`] of an answer.
    pub async fn changesets(
        &self,
        stream_id: &StreamId,
        read: &StreamRead,
    ) -> Result<(Vec<Changeset>, Option<u64>), Error> {
        read::stream_page(&self.0, stream_id, read).await
    }

    /// The events of a stream, page by page.
    ///
    /// # Errors
    /// As [`EventStore::read_changesets`].
    pub fn read_events(&self, stream_id: &StreamId, read: StreamRead) -> Results<Event> {
        read::stream(Arc::clone(&self.0), stream_id.clone(), read)
    }

    /// The changesets of all streams, as many as there are now.
    ///
    /// # Errors
    /// The stream ends with [`Error::OtherStore`] or [`Error::CheckpointBeyondHead`] if the checkpoint
    /// belongs to another store, or every other [`Error`] of an answer.
    pub fn read_all_changesets(&self, read: GlobalRead<Checkpoint>) -> Results<Changeset> {
        read::global(Arc::clone(&self.0), read)
    }

    /// The events of all streams, as many as there are now.
    ///
    /// # Errors
    /// As [`EventStore::read_all_changesets`].
    pub fn read_all_events(&self, read: GlobalRead<EventCheckpoint>) -> Results<Event> {
        read::global(Arc::clone(&self.0), read)
    }

    /// The changesets of all streams, for ever, as they arrive. After any break it goes on where it was:
    /// each changeset comes once, in order.
    ///
    /// Drop the stream to stop it.
    ///
    /// # Errors
    /// The stream ends with [`Error::OtherStore`] or [`Error::CheckpointBeyondHead`] if the checkpoint
    /// belongs to another store, or with another [`Error`] that a repeat would get too.
    pub fn follow_batches(&self, follow: Follow<Checkpoint>) -> Results<Batch<Changeset>> {
        follow::batches(Arc::clone(&self.0), follow)
    }

    /// The changesets of [`EventStore::follow_batches`], one by one.
    ///
    /// # Errors
    /// As [`EventStore::follow_batches`].
    pub fn follow(&self, follow: Follow<Checkpoint>) -> Results<Changeset> {
        follow::items(Arc::clone(&self.0), follow)
    }

    /// The events of all streams, for ever; otherwise as [`EventStore::follow_batches`].
    ///
    /// # Errors
    /// As [`EventStore::follow_batches`].
    pub fn follow_event_batches(&self, follow: Follow<EventCheckpoint>) -> Results<Batch<Event>> {
        follow::batches(Arc::clone(&self.0), follow)
    }

    /// The events of [`EventStore::follow_event_batches`], one by one.
    ///
    /// # Errors
    /// As [`EventStore::follow_batches`].
    pub fn follow_events(&self, follow: Follow<EventCheckpoint>) -> Results<Event> {
        follow::items(Arc::clone(&self.0), follow)
    }
}

/// Settings of a client.
#[must_use]
pub struct Builder {
    url: String,
    store: Option<StoreId>,
    timeout: Duration,
    retry: Retry,
    on_retry: Option<crate::settings::OnRetry>,
    authorize: Result<Option<Arc<dyn Authorize>>, Error>,
    http: Option<reqwest::Client>,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("url", &self.url)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

impl Builder {
    /// The secret of a server with keys.
    pub fn key(mut self, secret: &str) -> Self {
        self.authorize = Bearer::new(secret).map(|key| Some(Arc::new(key) as _));
        self
    }

    /// Something else than a key that proves who sends a request.
    pub fn authorize(mut self, authorize: impl Authorize + 'static) -> Self {
        self.authorize = Ok(Some(Arc::new(authorize)));
        self
    }

    /// The store that is meant. The answers of another one are [`Error::OtherStore`].
    pub fn store(mut self, store: StoreId) -> Self {
        self.store = Some(store);
        self
    }

    /// The longest time until an answer is complete: 30 seconds unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How calls are repeated.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Is told the error and the pause before each repeat.
    pub fn on_retry(mut self, told: impl Fn(&Error, Duration) + Send + Sync + 'static) -> Self {
        self.on_retry = Some(Arc::new(told));
        self
    }

    /// Another HTTP client, for example one with a proxy or with roots of its own. It must not follow
    /// redirects: a commit that is redirected would become a read.
    pub fn http(mut self, http: reqwest::Client) -> Self {
        self.http = Some(http);
        self
    }

    /// The client.
    ///
    /// # Errors
    /// [`Error::Refused`] if the address is none of HTTP, or the key cannot be sent.
    pub fn build(self) -> Result<EventStore, Error> {
        let refused = |why: String| Error::Refused(format!("`{}` is no address: {why}", self.url));
        let url = reqwest::Url::parse(&self.url).map_err(|error| refused(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || url.query().is_some() {
            return Err(refused(
                "expected http://HOST:PORT or https://HOST:PORT".to_owned(),
            ));
        }
        let http = match self.http {
            Some(http) => http,
            None => crate::http::client()?,
        };
        Ok(EventStore(Arc::new(Settings {
            url,
            store: self.store,
            timeout: self.timeout,
            retry: self.retry,
            on_retry: self.on_retry,
            authorize: self.authorize?,
            http,
        })))
    }
}
