//! Filtered reads, and what they have to select.

use serde_json::Value;

use super::{Place, answered};
use crate::subject::{Changeset, Filter, GlobalEvent, GlobalRead, Subject};

/// Whether a filter selects a changeset, found in the plainest way.
pub(crate) fn selects(filter: &Filter, changeset: &Changeset) -> bool {
    let events: Vec<Value> = serde_json::from_str(&changeset.events).expect("events");
    let has_prefix = |prefix: &String| changeset.stream.starts_with(prefix.as_str());
    any_or_none(&filter.stream_prefixes, has_prefix)
        && (filter.event_types.is_empty() || events.iter().any(|event| has_type(filter, event)))
}

/// Whether a filter selects an event of a stream that it selects.
pub(crate) fn selects_event(filter: &Filter, event: &GlobalEvent) -> bool {
    let event: Value = serde_json::from_str(&event.data).expect("an event");
    filter.event_types.is_empty() || has_type(filter, &event)
}

fn has_type(filter: &Filter, event: &Value) -> bool {
    let found = event["type"].as_str();
    found.is_some_and(|found| filter.event_types.iter().any(|wanted| wanted == found))
}

fn any_or_none(wanted: &[String], has: impl Fn(&String) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(has)
}

/// What a filter selects from a checkpoint on, and how many pages that took.
pub(crate) struct Followed<T> {
    pub(crate) items: Vec<T>,
    pub(crate) pages: u64,
}

/// The changesets that a filter selects from a checkpoint to the head as it was at the beginning, read
/// in pages of so many. Every page leads on.
#[track_caller]
pub(crate) fn filtered(
    subject: &dyn Subject,
    from: u64,
    filter: &Filter,
    limit: u64,
) -> impl Future<Output = Followed<Changeset>> {
    let place = Place::here();
    async move {
        let end = answered(place, "the read of the head", subject.next_checkpoint()).await;
        let (mut items, mut pages, mut at) = (Vec::new(), 0, from);
        while at < end {
            let read = GlobalRead::from(at).limit(limit).filter(filter);
            let what = format!("the read of {limit} changesets of {filter:?} from {at} on");
            let page = answered(place, &what, subject.global_changesets(&read)).await;
            let next = page.next_checkpoint;
            place.check(next > at, || format!("G15: {what} leads on, not to {next}"));
            let found = page.changesets.len();
            place.check(found as u64 <= limit, || {
                format!("G15: {what} gives no more than that, but {found}")
            });
            let positions = page.changesets.iter().filter_map(|c| c.checkpoint);
            let ascend = positions.clone().is_sorted_by(|a, b| a < b);
            let inside = positions.clone().all(|p| (at..next).contains(&p));
            place.check(ascend && inside && positions.count() == found, || {
                format!("G15: {what} gives ascending positions from there to {next}")
            });
            items.extend(page.changesets);
            (pages, at) = (pages + 1, next);
        }
        Followed { items, pages }
    }
}

/// The same for events.
#[track_caller]
pub(crate) fn filtered_events(
    subject: &dyn Subject,
    from: (u64, u64),
    filter: &Filter,
    limit: u64,
) -> impl Future<Output = Followed<GlobalEvent>> {
    let place = Place::here();
    async move {
        let end = answered(place, "the read of the head", subject.next_checkpoint()).await;
        let (mut items, mut pages, mut at) = (Vec::new(), 0, from);
        while at < (end, 0) {
            let read = GlobalRead::from(at).limit(limit).filter(filter);
            let what = format!("the read of {limit} events of {filter:?} from {at:?} on");
            let page = answered(place, &what, subject.global_events(&read)).await;
            let next = page.next_checkpoint;
            place.check(next > at, || {
                format!("G15: {what} leads on, not to {next:?}")
            });
            place.check(page.events.len() as u64 <= limit, || {
                format!("G15: {what} gives no more than that")
            });
            items.extend(page.events);
            (pages, at) = (pages + 1, next);
        }
        Followed { items, pages }
    }
}
