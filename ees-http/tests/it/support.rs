//! A store over a storage that can be told to fail, and calls to its router.

use std::cell::RefCell;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use ees_core::adapter::{Commit, CommitSet, Outcome, SetOutcome, Storage};
use ees_core::{
    Changeset, Checkpoint, Clock, EventStore, GlobalPage, Head, Page, PageLimit, StorageError,
    StreamId, StreamQuery, Timestamp,
};
use ees_http::{Options, self_hosted_router};
use ees_memory::MemoryStorage;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, pending};
use tokio::sync::watch;
use tower::ServiceExt;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::set_global_default;
use tracing::{Event, Level, Metadata, Subscriber};

/// What goes wrong with each call to the storage from now on.
#[derive(Debug, Clone, Default)]
pub(crate) enum Fault {
    #[default]
    None,
    /// The call takes a moment.
    Later,
    /// The call fails before anything is done.
    Before(StorageError),
    /// The call does its work, and then says that it failed.
    After(StorageError),
    /// The call never answers.
    Silent,
    /// The call panics.
    Panic,
}

/// A storage in memory that fails on demand.
pub(crate) struct Faulty {
    memory: MemoryStorage,
    fault: Mutex<Fault>,
    calls: watch::Sender<u64>,
}

impl Faulty {
    pub(crate) fn new() -> Arc<Self> {
        LazyLock::force(&LISTENING);
        Arc::new(Self {
            memory: MemoryStorage::with_max_changeset_bytes(100_000),
            fault: Mutex::default(),
            calls: watch::Sender::default(),
        })
    }

    /// Waits until it was called.
    pub(crate) async fn called(&self) {
        self.called_more_than(0).await;
    }

    /// Waits until it was called more often than that.
    pub(crate) async fn called_more_than(&self, times: u64) {
        let mut calls = self.calls.subscribe();
        calls.wait_for(|calls| *calls > times).await.unwrap();
    }

    /// How often it was called.
    pub(crate) fn calls(&self) -> u64 {
        *self.calls.borrow()
    }

    pub(crate) fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    pub(crate) fn store(self: &Arc<Self>) -> EventStore {
        let store = EventStore::from_parts(Arc::clone(self) as _, Arc::new(MemoryStorage::new()));
        store.with_clock(Arc::new(Still))
    }

    async fn pass<T>(
        &self,
        call: impl Future<Output = Result<T, StorageError>>,
    ) -> Result<T, StorageError> {
        self.calls.send_modify(|calls| *calls += 1);
        let fault = self.fault.lock().unwrap().clone();
        match fault {
            Fault::None => call.await,
            Fault::Later => {
                tokio::task::yield_now().await;
                call.await
            }
            Fault::Before(error) => Err(error),
            Fault::After(error) => {
                call.await?;
                Err(error)
            }
            Fault::Silent => pending().await,
            Fault::Panic => panic!("injected"),
        }
    }
}

#[async_trait]
impl Storage for Faulty {
    async fn commit(&self, commit: &Commit) -> Result<Outcome, StorageError> {
        self.pass(self.memory.commit(commit)).await
    }

    async fn commit_set(&self, set: &CommitSet) -> Result<SetOutcome, StorageError> {
        self.pass(self.memory.commit_set(set)).await
    }

    async fn head(&self, stream_id: &StreamId) -> Result<Option<Head>, StorageError> {
        self.pass(self.memory.head(stream_id)).await
    }

    async fn read_stream(&self, query: &StreamQuery) -> Result<Page<Changeset>, StorageError> {
        self.pass(self.memory.read_stream(query)).await
    }

    async fn read_global(
        &self,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, StorageError> {
        self.pass(self.memory.read_global(from, limit)).await
    }

    async fn next_checkpoint(&self) -> Result<Checkpoint, StorageError> {
        self.pass(self.memory.next_checkpoint()).await
    }

    fn news(&self) -> BoxFuture<'static, ()> {
        self.memory.news()
    }

    fn max_changeset_bytes(&self) -> usize {
        self.memory.max_changeset_bytes()
    }

    async fn close(&self) {
        self.memory.close().await;
    }
}

/// A clock that wakes nobody: who waits for news gets it, or waits.
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        pending().boxed()
    }
}

/// Options with a patience that no stall of the machine wears out.
pub(crate) fn patient() -> Options {
    let mut options = Options::default();
    options.request_timeout = Duration::from_hours(1);
    options
}

/// Options with a short patience.
pub(crate) fn options() -> Options {
    let mut options = Options::default();
    options.request_timeout = Duration::from_millis(300);
    options
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: serde_json::Value,
}

impl Answer {
    pub(crate) fn error(&self) -> &str {
        self.body["error"].as_str().unwrap_or_default()
    }

    pub(crate) fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }
}

/// The router over a storage.
pub(crate) fn router(storage: &Arc<Faulty>) -> Router {
    self_hosted_router(storage.store(), options())
}

pub(crate) async fn get(router: &Router, path: &str) -> Answer {
    call(router, Request::get(path).body(Body::empty()).unwrap()).await
}

pub(crate) async fn post(router: &Router, path: &str, body: impl Into<Body>) -> Answer {
    call(router, Request::post(path).body(body.into()).unwrap()).await
}

pub(crate) async fn call(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    Answer {
        status: head.status,
        headers: head.headers,
        body: serde_json::from_slice(&body).unwrap(),
    }
}

thread_local! {
    static LOGGED: RefCell<Vec<Level>> = const { RefCell::new(Vec::new()) };
}

/// The levels of what this thread has logged since it was last asked, but for what only a debugger
/// wants to know.
pub(crate) fn logged() -> Vec<Level> {
    LOGGED.take()
}

/// Takes what all threads log, from before the first of them does: where one logs while nobody
/// listens, what it logs there may be switched off for all.
static LISTENING: LazyLock<()> = LazyLock::new(|| set_global_default(Lines).unwrap());

struct Lines;

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO
    }

    fn event(&self, event: &Event<'_>) {
        LOGGED.with_borrow_mut(|levels| levels.push(*event.metadata().level()));
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}
