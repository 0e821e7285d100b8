//! Finds what was committed around a time.

use ees_core::{Error, EventStore, PageLimit, StreamId, StreamQuery, Timestamp};

use crate::newest::position;

/// One item, whatever its size.
const ONE: PageLimit = PageLimit { items: 1, bytes: 1 };

/// The first position whose changeset was committed at a time or later, or the head. Times of
/// different streams need not follow the order, so it is near that place. It takes as many reads as the
/// head has bits.
pub(crate) async fn position_at(
    store: &EventStore,
    head: u64,
    time: Timestamp,
) -> Result<u64, Error> {
    let (mut low, mut high) = (0, head);
    while low < high {
        let middle = low + (high - low) / 2;
        let page = store.poll_changesets(position(middle), ONE).await?;
        match page.changesets.first() {
            Some(found) if found.timestamp < time => {
                low = found.checkpoint.map_or(middle, ees_core::Checkpoint::get) + 1;
            }
            _ => high = middle,
        }
    }
    Ok(low.min(head))
}

/// The first changeset of a stream that was committed at a time or later, or the one after its last.
pub(crate) async fn changeset_at(
    store: &EventStore,
    stream_id: &StreamId,
    last: u64,
    time: Timestamp,
) -> Result<u64, Error> {
    let (mut low, mut high) = (1, last + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let query = StreamQuery::all(stream_id.clone()).changesets(middle..=middle);
        let page = store.changesets(&query.limit(ONE)).await?;
        match page.items.first() {
            Some(found) if found.timestamp < time => low = middle + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// Reads a time as people and browsers write it, in UTC where it names no zone.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim().replacen(' ', "T", 1);
    let forms = ["", "Z", ":00Z", "T00:00:00Z"];
    let mut forms = forms.into_iter().map(|zone| format!("{text}{zone}"));
    forms.find_map(|text| text.parse().ok())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use ees_core::{Events, Expectation, NewChangeset};
    use ees_memory::MemoryStorage;

    use super::*;

    #[test]
    fn times_are_read_in_the_forms_of_people_and_browsers() {
        let expected: Timestamp = "2026-01-05T13:15:00Z".parse().unwrap();
        for text in [
            "2026-01-05T13:15",
            "2026-01-05 13:15",
            "2026-01-05T13:15:00",
            "2026-01-05T13:15:00Z",
            " 2026-01-05T14:15:00+01:00 ",
        ] {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
        assert!(parse("2026-01-05").is_some());
        assert_eq!(parse("yesterday"), None);
    }

    #[tokio::test]
    async fn a_time_leads_to_its_changeset_in_the_order_and_in_the_stream() {
        let store = EventStore::new(Arc::new(MemoryStorage::new()));
        let stream: StreamId = "s".parse().unwrap();
        let mut times = Vec::new();
        for last in 0..20 {
            let expected = Expectation::LastChangeset(last);
            let events = Events::parse("[1]").unwrap();
            let new = NewChangeset::new(stream.clone(), expected, events);
            let receipt = store.commit(new).await.unwrap();
            times.push(receipt.timestamp);
        }
        for time in &times {
            let first = times.iter().position(|found| found >= time).unwrap() as u64;
            assert_eq!(position_at(&store, 20, *time).await.unwrap(), first);
            let found = changeset_at(&store, &stream, 20, *time).await.unwrap();
            assert_eq!(found, first + 1);
        }
        let later = "2999-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(position_at(&store, 20, later).await.unwrap(), 20);
        assert_eq!(changeset_at(&store, &stream, 20, later).await.unwrap(), 21);
    }
}
