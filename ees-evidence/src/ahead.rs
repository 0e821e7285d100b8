//! Reads the next page of the order while one is worked on.

use ees_core::{Checkpoint, Error, EventStore, GlobalPage, PageLimit};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};

/// The read of a page that has begun, and where the page begins.
#[derive(Default)]
pub(crate) struct Ahead(Option<(Checkpoint, BoxFuture<'static, Result<GlobalPage, Error>>)>);

impl Ahead {
    /// Begins to read a page.
    pub(crate) fn begin(&mut self, store: &EventStore, from: Checkpoint, limit: PageLimit) {
        let store = store.clone();
        let mut reading = async move { store.poll_changesets(from, limit).await }.boxed();
        // One look lets it begin.
        let begun = match (&mut reading).now_or_never() {
            Some(page) => ready(page).boxed(),
            None => reading,
        };
        self.0 = Some((from, begun));
    }

    /// A page: the one whose read has begun, if that begins at the same position.
    ///
    /// # Errors
    /// Those of the read.
    pub(crate) async fn page(
        &mut self,
        store: &EventStore,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Result<GlobalPage, Error> {
        match self.0.take() {
            Some((begun, reading)) if begun == from => reading.await,
            _ => store.poll_changesets(from, limit).await,
        }
    }
}
