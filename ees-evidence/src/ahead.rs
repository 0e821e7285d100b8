//! Reads what comes next while something is worked on: the next page of the order, the next tile.

use std::collections::VecDeque;

use ees_core::{Checkpoint, Error, EventStore, GlobalPage, PageLimit};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};

/// A read that has begun, and the place of what it reads.
type Begun<P, T, E> = (P, BoxFuture<'static, Result<T, E>>);

/// Reads that have begun, in the order in which their results are wanted.
pub(crate) struct Ahead<P, T, E>(VecDeque<Begun<P, T, E>>);

impl<P, T, E> Default for Ahead<P, T, E> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<P: PartialEq, T: Send + 'static, E: Send + 'static> Ahead<P, T, E> {
    /// Begins to read what is at a place, behind what is read already.
    pub(crate) fn begin(
        &mut self,
        place: P,
        reading: impl Future<Output = Result<T, E>> + Send + 'static,
    ) {
        let mut reading = reading.boxed();
        // One look lets it begin.
        let begun = match (&mut reading).now_or_never() {
            Some(read) => ready(read).boxed(),
            None => reading,
        };
        self.0.push_back((place, begun));
    }

    /// Whether a read of a place has begun.
    pub(crate) fn has(&self, place: &P) -> bool {
        self.0.iter().any(|(begun, _)| begun == place)
    }

    /// What is at a place: the result of the read that comes next, if it is of the same place, and otherwise
    /// of `reading`. Then the other reads are dropped.
    ///
    /// # Errors
    /// Those of the read.
    pub(crate) async fn read(
        &mut self,
        place: P,
        reading: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        match self.0.pop_front() {
            Some((begun, read)) if begun == place => read.await,
            _ => {
                self.0.clear();
                reading.await
            }
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
