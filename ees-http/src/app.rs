//! The state that the handlers share.

use std::sync::Arc;
use std::time::Duration;

use ees_core::consumer::Consumers;
use ees_core::{
    Checkpoint, Error, EventStore, InPlace, Onward, SET_SIZE_FACTOR, StorageError, Written,
};

use crate::consumer_metrics::ConsumerMetrics;
use crate::context::RequestContext;
use crate::error::ApiError;
use crate::gate::Gate;
use crate::options::Options;
use crate::permit::Permit;

/// Room for a body's JSON around the payload.
const BODY_FRAME_BYTES: usize = 64 * 1024;

/// The same in a set of commits: their stream ids may have 1024 bytes each, escaped six times that.
const SET_FRAME_BYTES: usize = 512 * 1024;

/// The longest wait of a reader that waits without an end. It then waits again.
const ENDLESS: Duration = Duration::from_hours(1);

/// The state that the handlers share.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) store: EventStore,
    pub(crate) gate: Gate,
    pub(crate) options: Arc<Options>,
    pub(crate) consumer_metrics: Arc<ConsumerMetrics>,
    /// The OpenAPI description, generated at the first request for it.
    pub(crate) description: fn() -> &'static str,
}

impl App {
    pub(crate) fn new(
        store: EventStore,
        options: Options,
        description: fn() -> &'static str,
    ) -> Self {
        Self {
            store,
            gate: Gate::new(&options),
            options: Arc::new(options),
            consumer_metrics: Arc::default(),
            description,
        }
    }

    pub(crate) fn max_body_bytes(&self) -> usize {
        self.store.max_changeset_bytes() + BODY_FRAME_BYTES
    }

    /// The same of a set of commits.
    pub(crate) fn max_set_body_bytes(&self) -> usize {
        let payload = self.store.max_changeset_bytes();
        payload.saturating_mul(SET_SIZE_FACTOR) + SET_FRAME_BYTES
    }

    /// The durable consumers of the store that the caller may reach: those whose filter is within his
    /// prefixes.
    pub(crate) fn consumers(&self, context: &RequestContext) -> Result<Consumers, ApiError> {
        let consumers = self.store.consumers().map_err(Error::from)?;
        let caller = context.caller.get().cloned();
        Ok(
            match caller.filter(|caller| caller.stream_prefixes().is_some()) {
                None => consumers,
                Some(caller) => {
                    consumers.within(move |definition| caller.reaches(&definition.stream_prefixes))
                }
            },
        )
    }

    /// Waits for a use case, but no longer than a request may take. `written` says whether a commit
    /// may have happened when the time is up.
    pub(crate) async fn in_time<T, E: Into<Error>>(
        &self,
        written: Written,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, ApiError> {
        Ok(self.limited(written, work).await?)
    }

    async fn limited<T, E: Into<Error>>(
        &self,
        written: Written,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Error> {
        let limit = self.options.request_timeout;
        let Ok(result) = tokio::time::timeout(limit, work).await else {
            let reason = format!("no answer within {} s", limit.as_secs());
            return Err(StorageError::unavailable(reason, written).into());
        };
        result.map_err(Into::into)
    }

    /// Reads a page of the global order. While it is empty, waits for another until `wait` is over,
    /// the server closes, or the client closes its side. A request that waits has its permit only while it reads, and for the
    /// answer.
    pub(crate) async fn poll_onward<P: Onward, R: Future<Output = Result<P, Error>>>(
        &self,
        permit: &Permit,
        from: P::Position,
        wait: Duration,
        read: impl Fn(P::Position) -> R,
    ) -> Result<P, ApiError> {
        if wait.is_zero() {
            return self.in_time(Written::None, read(from)).await;
        }
        let in_turn = |from| self.in_turn(permit, read(from));
        let page = async {
            tokio::select! {
                page = self.store.await_onward(from, wait, in_turn) => page,
                () = self.ends_waiting(permit) => in_turn(from).await,
            }
        };
        self.in_time(Written::None, page).await
    }

    /// The same without a limit on the whole: waits for a page that is not empty, and each read has the
    /// time of a request. The page is empty when nothing waits any longer.
    pub(crate) async fn follow_onward<P: Onward, R: Future<Output = Result<P, Error>>>(
        &self,
        permit: &Permit,
        from: P::Position,
        read: impl Fn(P::Position) -> R,
    ) -> Result<P, ApiError> {
        let in_turn = |from| self.limited(Written::None, self.in_turn(permit, read(from)));
        tokio::select! {
            page = self.store.await_onward(from, ENDLESS, in_turn) => Ok(page?),
            () = self.ends_waiting(permit) => Ok(in_turn(from).await?),
        }
    }

    /// Reads a page when the gate lets the request run. It keeps its permit if it found something.
    async fn in_turn<P: Onward>(
        &self,
        permit: &Permit,
        page: impl Future<Output = Result<P, Error>>,
    ) -> Result<P, Error> {
        self.gate.take_turn(permit).await;
        let page = page.await?;
        if page.is_empty() {
            permit.release();
        }
        Ok(page)
    }

    /// Resolves when nothing waits any longer: the server closes, or the client sends no more and may
    /// have gone.
    async fn ends_waiting(&self, permit: &Permit) {
        let half_closed = async {
            match permit.client() {
                Some(client) => client.half_closed().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.options.closing.cancelled() => {}
            () = half_closed => {}
        }
    }

    /// The same for a read of a stream, which begins at the same place each time.
    pub(crate) async fn poll<P, R: Future<Output = Result<P, Error>>>(
        &self,
        permit: &Permit,
        wait: Duration,
        read: impl Fn() -> R,
        is_empty: impl Fn(&P) -> bool,
    ) -> Result<P, ApiError> {
        let read = |_| {
            let (page, is_empty) = (read(), &is_empty);
            async move {
                let page = page.await?;
                let is_empty = is_empty(&page);
                Ok(InPlace { page, is_empty })
            }
        };
        let found = self.poll_onward(permit, Checkpoint::FIRST, wait, read);
        Ok(found.await?.page)
    }
}
