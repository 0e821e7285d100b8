//! Reading a stream to its end, page by page.

use futures_util::stream::{BoxStream, StreamExt, TryStreamExt, try_unfold};
use serde::de::DeserializeOwned;

use super::EventStore;
use crate::{Changeset, Error, Event, Expectation, Page, StreamId, StreamItem, StreamQuery};

impl EventStore {
    /// All events of a stream, oldest first. A stream that does not exist has none.
    ///
    /// Each page is read when its events are needed, so a stream of any length costs the memory of
    /// one page. Events that are committed meanwhile are included.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use ees_core::EventStore;
    /// # use ees_memory::MemoryStorage;
    /// use futures_util::TryStreamExt;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), ees_core::Error> {
    /// # let store = EventStore::new(Arc::new(MemoryStorage::new()));
    /// let mut events = store.read(&"order-17".parse()?);
    /// while let Some(event) = events.try_next().await? {
    ///     println!("{}: {}", event.event_id, event.data.as_str());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The stream ends with [`Error::Storage`] if the storage fails.
    pub fn read(&self, stream_id: &StreamId) -> BoxStream<'static, Result<Event, Error>> {
        self.read_events(StreamQuery::all(stream_id.clone()))
    }

    /// The events that a query selects, over all its pages; otherwise as [`EventStore::read`].
    ///
    /// # Errors
    /// The stream ends with [`Error::Storage`] if the storage fails.
    pub fn read_events(&self, query: StreamQuery) -> BoxStream<'static, Result<Event, Error>> {
        let store = self.clone();
        follow(query, move |query| {
            let store = store.clone();
            async move { store.events(&query).await }
        })
    }

    /// The changesets that a query selects, over all its pages; otherwise as [`EventStore::read`].
    ///
    /// # Errors
    /// The stream ends with [`Error::Storage`] if the storage fails.
    pub fn read_changesets(
        &self,
        query: StreamQuery,
    ) -> BoxStream<'static, Result<Changeset, Error>> {
        let store = self.clone();
        follow(query, move |query| {
            let store = store.clone();
            async move { store.changesets(&query).await }
        })
    }

    /// Loads an aggregate: folds a stream's events, oldest first, into a state. Returns the state,
    /// and the expectation for a commit that is based on it.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use ees_core::{EventStore, Expectation};
    /// # use ees_memory::MemoryStorage;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), ees_core::Error> {
    /// # let store = EventStore::new(Arc::new(MemoryStorage::new()));
    /// let (sum, expectation) = store.fold(&"s".parse()?, 0, |sum, n: u64| sum + n).await?;
    /// assert_eq!((sum, expectation), (0, Expectation::NEW_STREAM));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::UnreadableEvent`] if an event cannot be read as an `E`; [`Error::Storage`] if the
    /// storage fails.
    pub async fn fold<S, E: DeserializeOwned>(
        &self,
        stream_id: &StreamId,
        initial: S,
        mut apply: impl FnMut(S, E) -> S,
    ) -> Result<(S, Expectation), Error> {
        let mut changesets = self.read_changesets(StreamQuery::all(stream_id.clone()));
        let (mut state, mut expectation) = (initial, Expectation::NEW_STREAM);
        while let Some(changeset) = changesets.try_next().await? {
            for event in changeset.read_events() {
                state = apply(state, event?);
            }
            expectation = Expectation::from(&changeset);
        }
        Ok((state, expectation))
    }
}

/// The items of all pages of a query. A stream that does not exist has none.
fn follow<T, R>(
    query: StreamQuery,
    read: impl Fn(StreamQuery) -> R + Send + 'static,
) -> BoxStream<'static, Result<T, Error>>
where
    T: StreamItem + Send + 'static,
    R: Future<Output = Result<Page<T>, Error>> + Send,
{
    let pages = try_unfold((Some(query), read), |(query, read)| async move {
        let Some(query) = query else {
            return Ok::<_, Error>(None);
        };
        let page = match read(query.clone()).await {
            Err(Error::StreamNotFound { .. }) => return Ok(None),
            page => page?,
        };
        let next = query.next_page(&page);
        Ok(Some((page.items, (next, read))))
    });
    pages
        .map_ok(|items| futures_util::stream::iter(items.into_iter().map(Ok)))
        .try_flatten()
        .boxed()
}
