//! Reads the next page of the order while one is worked on.

use ees_core::{Checkpoint, Error, EventStore, GlobalPage, PageLimit};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};

/// The read of a page that has begun, and where the page begins.
pub(crate) struct Ahead<E>(Option<(Checkpoint, BoxFuture<'static, Result<GlobalPage, E>>)>);

impl<E> Default for Ahead<E> {
    fn default() -> Self {
        Self(None)
    }
}

impl<E: Send + 'static> Ahead<E> {
    /// Begins to read a page.
    pub(crate) fn begin(
        &mut self,
        from: Checkpoint,
        reading: impl Future<Output = Result<GlobalPage, E>> + Send + 'static,
    ) {
        let mut reading = reading.boxed();
        // One look lets it begin.
        let begun = match (&mut reading).now_or_never() {
            Some(page) => ready(page).boxed(),
            None => reading,
        };
        self.0 = Some((from, begun));
    }

    /// A page: the one whose read has begun, if that begins at the same position, and otherwise the
    /// result of `reading`.
    ///
    /// # Errors
    /// Those of the read.
    pub(crate) async fn page(
        &mut self,
        from: Checkpoint,
        reading: impl Future<Output = Result<GlobalPage, E>>,
    ) -> Result<GlobalPage, E> {
        match self.0.take() {
            Some((begun, page)) if begun == from => page.await,
            _ => reading.await,
        }
    }
}

/// The read of a page of a store.
pub(crate) fn reading(
    store: &EventStore,
    from: Checkpoint,
    limit: PageLimit,
) -> impl Future<Output = Result<GlobalPage, Error>> + Send + 'static {
    let store = store.clone();
    async move { store.poll_changesets(from, limit).await }
}
