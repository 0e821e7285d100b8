//! Storages that filter wrongly.

use async_trait::async_trait;
use ees_conformance::Adapter;
use ees_conformance::faults::Fault;
use ees_core::{Changeset, Checkpoint, Filter, GlobalPage, PageLimit, StorageError};

/// A page of what `selects` selects, right in all else.
async fn selected(
    inner: &dyn Adapter,
    (from, limit): (Checkpoint, PageLimit),
    selects: impl Fn(&Changeset) -> bool + Send + Sync,
) -> Result<GlobalPage, StorageError> {
    let whole = inner.read_global(from, PageLimit::items(10_000)).await?;
    let mut found: Vec<_> = whole.changesets.into_iter().filter(selects).collect();
    let left = found.get(limit.items).and_then(|first| first.checkpoint);
    found.truncate(limit.items);
    Ok(GlobalPage {
        changesets: found,
        next: left.unwrap_or(whole.next),
    })
}

/// Defines a fault of [`Fault::read_filtered`].
macro_rules! fault {
    ($(#[$doc:meta])* $name:ident($inner:ident, $range:ident, $filter:ident) $body:block) => {
        $(#[$doc])*
        #[derive(Default)]
        pub(super) struct $name;

        #[async_trait]
        impl Fault for $name {
            async fn read_filtered(
                &self,
                $inner: &dyn Adapter,
                from: Checkpoint,
                limit: PageLimit,
                $filter: &Filter,
            ) -> Option<Result<GlobalPage, StorageError>> {
                let $range = (from, limit);
                Some(async { $body }.await)
            }
        }
    };
}

fault! {
    /// Knows the type of the first event of a changeset alone.
    KnowsTheFirstType(inner, range, filter) {
        let first = |found: &Changeset| {
            let first = found.each_event().next();
            first.is_some_and(|event| filter.matches_event(&event.data))
        };
        let by_stream = |found: &Changeset| filter.matches_stream(found.stream_id.as_str());
        selected(inner, range, |found| by_stream(found) && first(found)).await
    }
}

fault! {
    /// Looks for the type as it was written, anywhere in the events.
    SearchesForTheType(inner, range, filter) {
        let has_type = |found: &Changeset| {
            let events = found.events.as_str();
            let mut types = filter.event_types().iter();
            filter.event_types().is_empty() || types.any(|t| events.contains(&format!("\"type\":\"{t}\"")))
        };
        let by_stream = |found: &Changeset| filter.matches_stream(found.stream_id.as_str());
        selected(inner, range, |found| by_stream(found) && has_type(found)).await
    }
}

fault! {
    /// Takes a prefix for a part.
    SearchesForThePrefix(inner, range, filter) {
        let types = filter.event_types().iter();
        let types = types.fold(Filter::default(), Filter::event_type);
        let has_part = |found: &Changeset| {
            let mut parts = filter.stream_prefixes().iter();
            filter.stream_prefixes().is_empty() || parts.any(|part| found.stream_id.as_str().contains(part))
        };
        selected(inner, range, |found| types.matches(found) && has_part(found)).await
    }
}

fault! {
    /// Stays where it is when it finds nothing.
    StaysWhereItIs(inner, range, filter) {
        let (from, limit) = range;
        let page = inner.read_filtered(from, limit, filter).await?;
        let next = if page.changesets.is_empty() { from } else { page.next };
        Ok(GlobalPage { next, ..page })
    }
}

fault! {
    /// Moves on one changeset at a time.
    MovesOnSlowly(inner, range, filter) {
        let (from, _) = range;
        let one = inner.read_global(from, PageLimit::items(1)).await?;
        selected(inner, (from, PageLimit::items(1)), |found| {
            found.checkpoint == Some(from) && filter.matches(found)
        })
        .await
        .map(|page| GlobalPage { next: one.next, ..page })
    }
}

fault! {
    /// Leads past what a page had no room for.
    LeadsPastThePage(inner, range, filter) {
        let (from, limit) = range;
        let page = inner.read_filtered(from, limit, filter).await?;
        let whole = inner.read_filtered(from, PageLimit::default(), filter).await?;
        Ok(GlobalPage { next: whole.next, ..page })
    }
}

fault! {
    /// Leads past the changesets that are committed while it reads.
    LeadsToALaterHead(inner, range, filter) {
        let (from, limit) = range;
        let page = inner.read_filtered(from, limit, filter).await?;
        let is_end = page.next == inner.next_checkpoint().await?;
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        let head = inner.next_checkpoint().await?;
        let next = if is_end { head } else { page.next };
        Ok(GlobalPage { next, ..page })
    }
}
