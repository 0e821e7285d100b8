//! Reading one stream.

use super::EventStore;
use crate::ports::StorageError;
use crate::{
    Changeset, Direction, Error, Event, EventId, Head, Page, PageBuilder, StreamId, StreamQuery,
    StreamRange,
};

impl EventStore {
    /// The end of a stream.
    ///
    /// # Errors
    /// [`Error::StreamNotFound`], or [`Error::Storage`] if the storage fails.
    pub async fn head(&self, stream_id: &StreamId) -> Result<Head, Error> {
        let head = self.storage.head(stream_id).await?;
        head.ok_or_else(|| Error::StreamNotFound {
            stream_id: stream_id.clone(),
        })
    }

    /// A page of a stream's changesets; empty if the stream exists but the range holds nothing.
    ///
    /// # Errors
    /// [`Error::StreamNotFound`], or [`Error::Storage`] if the storage fails.
    pub async fn changesets(&self, query: &StreamQuery) -> Result<Page<Changeset>, Error> {
        let page = self.storage.read_stream(query).await?;
        if page.items.is_empty() {
            self.head(&query.stream_id).await?;
        }
        Ok(page)
    }

    /// A page of a stream's events: those of the range if it goes by events, all of its changesets'
    /// events otherwise. Empty if the stream exists but the range holds nothing.
    ///
    /// # Errors
    /// [`Error::StreamNotFound`], or [`Error::Storage`] if the storage fails.
    pub async fn events(&self, query: &StreamQuery) -> Result<Page<Event>, Error> {
        let mut page = PageBuilder::new(query.limit);
        let mut query = query.clone();
        loop {
            let changesets = self.changesets(&query).await?;
            for changeset in &changesets.items {
                for event in select(changeset, &query)? {
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

/// A changeset's events that a query selects, in the query's direction.
fn select(changeset: &Changeset, query: &StreamQuery) -> Result<Vec<Event>, StorageError> {
    let mut events = split(changeset)?;
    if let StreamRange::Events(ids) = &query.range {
        events.retain(|event| ids.contains(&event.event_id.get()));
    }
    if query.direction == Direction::Backward {
        events.reverse();
    }
    Ok(events)
}

/// A changeset's events, numbered.
pub(super) fn split(changeset: &Changeset) -> Result<Vec<Event>, StorageError> {
    let corrupt = |problem: &dyn std::fmt::Display| {
        StorageError::Corrupt(format!(
            "the events of changeset {} of stream `{}` cannot be read: {problem}",
            changeset.changeset_id, changeset.stream_id
        ))
    };
    let values = changeset.events.split().map_err(|error| corrupt(&error))?;
    let first = changeset.first_event_id.get();
    let number = |index: u64| EventId::new(first.saturating_add(index));
    (0..)
        .zip(values)
        .map(|(index, data)| {
            Ok(Event {
                event_id: number(index).map_err(|error| corrupt(&error))?,
                data,
                changeset_id: changeset.changeset_id,
                index,
                timestamp: changeset.timestamp,
            })
        })
        .collect()
}
