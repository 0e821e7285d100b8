//! Reading one stream.

use std::time::Duration;

use tracing::Instrument;

use super::EventStore;
use crate::adapter::PageBuilder;
use crate::{
    Changeset, Direction, Error, Event, EventId, Head, MAX_ID, Page, StreamId, StreamQuery,
    StreamRange,
};
use crate::{measure, spans};

impl EventStore {
    /// The end of a stream.
    ///
    /// # Errors
    /// [`Error::StreamNotFound`], or [`Error::Storage`] if the storage fails.
    pub async fn head(&self, stream_id: &StreamId) -> Result<Head, Error> {
        let begun = measure::begin();
        let head = self.storage.head(stream_id).instrument(spans::read("head"));
        let head = begun.read("head", head.await)?;
        head.ok_or_else(|| Error::StreamNotFound {
            stream_id: stream_id.clone(),
        })
    }

    /// A page of a stream's changesets; empty if the stream exists but the range holds nothing.
    ///
    /// # Errors
    /// [`Error::StreamNotFound`], or [`Error::Storage`] if the storage fails.
    pub async fn changesets(&self, query: &StreamQuery) -> Result<Page<Changeset>, Error> {
        let begun = measure::begin();
        let page = self.storage.read_stream(query);
        let page = page.instrument(spans::read("stream"));
        let page = begun.read("stream", page.await)?;
        if page.items.is_empty() {
            self.head(&query.stream_id).await?;
        }
        Ok(page)
    }

    /// A page of a stream's events: the events of the range, or all events of the range's
    /// changesets. Empty if the stream exists but the range holds nothing.
    ///
    /// # Errors
    /// [`Error::StreamNotFound`], or [`Error::Storage`] if the storage fails.
    pub async fn events(&self, query: &StreamQuery) -> Result<Page<Event>, Error> {
        let mut page = PageBuilder::new(query.limit);
        let mut query = query.clone();
        loop {
            let changesets = self.changesets(&query).await?;
            for changeset in &changesets.items {
                for event in self.select(changeset, &query) {
                    if !page.push_event(event) {
                        return Ok(page.finish());
                    }
                }
            }
            match query.next_page(&changesets) {
                None => return Ok(page.finish()),
                Some(_) if page.is_full() => {
                    page.more_remains();
                    return Ok(page.finish());
                }
                Some(next) => query = next,
            }
        }
    }
}

impl EventStore {
    /// As [`EventStore::changesets`], but while the range holds nothing or the stream does not exist,
    /// waits for a changeset, for at most `wait`.
    ///
    /// # Errors
    /// [`Error::StreamNotFound`], or [`Error::Storage`] if the storage fails.
    pub async fn await_stream_changesets(
        &self,
        query: &StreamQuery,
        wait: Duration,
    ) -> Result<Page<Changeset>, Error> {
        let read = || async { or_missing(self.changesets(query).await) };
        self.await_page(wait, read, is_nothing).await?
    }

    /// As [`EventStore::events`], but while the range holds nothing or the stream does not exist, waits
    /// for an event, for at most `wait`.
    ///
    /// # Errors
    /// [`Error::StreamNotFound`], or [`Error::Storage`] if the storage fails.
    pub async fn await_stream_events(
        &self,
        query: &StreamQuery,
        wait: Duration,
    ) -> Result<Page<Event>, Error> {
        let read = || async { or_missing(self.events(query).await) };
        self.await_page(wait, read, is_nothing).await?
    }
}

/// A page of a stream, or that the stream does not exist, which a reader may wait for.
type Found<T> = Result<Page<T>, Error>;

fn or_missing<T>(page: Found<T>) -> Result<Found<T>, Error> {
    match page {
        Err(missing @ Error::StreamNotFound { .. }) => Ok(Err(missing)),
        page => page.map(Ok),
    }
}

fn is_nothing<T>(page: &Found<T>) -> bool {
    page.as_ref().map_or(true, |page| page.items.is_empty())
}

impl EventStore {
    /// A changeset's events that a query selects, in the query's direction.
    fn select<'a>(
        &self,
        changeset: &'a Changeset,
        query: &StreamQuery,
    ) -> Box<dyn Iterator<Item = Event> + Send + 'a> {
        let (from, to) = selected_ids(query);
        let selected = |from: u64| {
            let first = from.saturating_sub(changeset.first_event_id.get());
            let events = self.places.walk(changeset, first);
            events.take_while(move |event| event.event_id.get() <= to)
        };
        match query.direction {
            Direction::Forward => Box::new(selected(from)),
            Direction::Backward => {
                // As many as a page can hold, and one more, which shows that more remain.
                let last = changeset.last_event_id.get().min(to);
                let most = query.limit.max_items() as u64 + 1;
                let events: Vec<Event> = selected(from.max(last.saturating_sub(most))).collect();
                Box::new(events.into_iter().rev())
            }
        }
    }
}

/// The first and the last id of the events that a query selects.
fn selected_ids(query: &StreamQuery) -> (u64, u64) {
    let after = query.after.map(EventId::get);
    match (&query.range, query.direction) {
        (StreamRange::Events(ids), _) => (*ids.start(), *ids.end()),
        (StreamRange::Changesets(_), Direction::Forward) => (after.map_or(0, |id| id + 1), MAX_ID),
        (StreamRange::Changesets(_), Direction::Backward) => (0, after.map_or(MAX_ID, |id| id - 1)),
    }
}
