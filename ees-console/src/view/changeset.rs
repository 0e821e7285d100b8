//! Changesets, in rows of a log and in full.

use ees_core::{Changeset, CommitId, Timestamp};
use maud::{Markup, html};

use super::format::{age, amount, time};
use super::json::json;
use super::shown::{cut, shown};
use crate::fields::query;

/// How many types of its events a row names.
const MAX_TYPES: usize = 4;

/// The longest type and the longest stream id that a row shows, in characters.
const MAX_NAME: usize = 80;

/// How much of a changeset is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Detail {
    /// How many events.
    pub(crate) events: usize,
    /// How many bytes of each.
    pub(crate) bytes: usize,
}

impl Detail {
    /// In a row of a log.
    pub(crate) const ROW: Self = Self {
        events: 3,
        bytes: 2048,
    };
    /// In a page of a stream.
    pub(crate) const PAGE: Self = Self {
        events: 5,
        bytes: 4096,
    };
    /// Alone.
    pub(crate) const ALONE: Self = Self {
        events: 50,
        bytes: 64 * 1024,
    };
}

/// A link to a stream.
pub(crate) fn stream_link(stream_id: &str) -> Markup {
    let href = format!("/console/stream{}", query(&[("id", stream_id)]));
    html! { a.stream href=(href) { (shown(&cut(stream_id, MAX_NAME))) } }
}

/// The path of the page with one changeset alone.
pub(crate) fn changeset_path(stream_id: &str, changeset: u64) -> String {
    let number = changeset.to_string();
    let fields = [("id", stream_id), ("changeset", &number)];
    format!("/console/stream{}", query(&fields))
}

/// A changeset as a row of the global order, which opens.
pub(crate) fn row(changeset: &Changeset, now: Timestamp) -> Markup {
    let position = changeset.checkpoint.map(ees_core::Checkpoint::get);
    let id = position.map(|position| format!("c{position}"));
    html! {
        li.row id=[id] {
            details {
                summary {
                    span.position title="The checkpoint" { @if let Some(position) = position { (position) } }
                    span.place {
                        (stream_link(changeset.stream_id.as_str()))
                        span.quiet title="The changeset of the stream" { " #" (changeset.changeset_id) }
                    }
                    span.types { (types(changeset)) }
                    span.when { (age(changeset.timestamp, now)) }
                }
                (body(changeset, Detail::ROW))
            }
        }
    }
}

/// A changeset of a page of its stream. With `is_provable` it leads to its proof.
pub(crate) fn changeset(
    changeset: &Changeset,
    detail: Detail,
    is_provable: bool,
    now: Timestamp,
) -> Markup {
    let number = changeset.changeset_id.get();
    let (first, last) = (changeset.first_event_id, changeset.last_event_id);
    let path = changeset_path(changeset.stream_id.as_str(), number);
    html! {
        article.changeset id=(format!("s{number}")) {
            header {
                h3 { a href=(path) { "Changeset " (amount(number)) } }
                span.types { (types(changeset)) }
                span.when { (time(changeset.timestamp, now)) }
            }
            p.facts {
                @if first == last { "Event " (first) } @else { "Events " (first) " to " (last) }
                @if let Some(position) = changeset.checkpoint {
                    " · checkpoint "
                    a href=(format!("/console/log?before={0}#c{1}", position.get() + 13, position)) { (amount(position.get())) }
                    @if is_provable { " · " a href=(format!("/console/evidence?checkpoint={position}")) { "proof" } }
                }
                @if changeset.commit_id.as_str() != CommitId::NONE {
                    " · " @if changeset.commit_id.is_clients() { "idempotency key " } @else { "commit id " }
                    code { (shown(changeset.commit_id.as_str())) }
                }
            }
            (body(changeset, detail))
        }
    }
}

/// The types of a changeset's events.
fn types(changeset: &Changeset) -> Markup {
    let kept = changeset.events.types();
    let types = kept.iter().flat_map(|kept| kept.split('\n'));
    let types: Vec<&str> = types.filter(|of| !of.is_empty()).collect();
    let events = changeset.events.count();
    html! {
        @for of in types.iter().take(MAX_TYPES) { span.type { (shown(&cut(of, MAX_NAME))) } " " }
        @if types.len() > MAX_TYPES { span.quiet { "and " (types.len() - MAX_TYPES) " more types " } }
        @if events > 1 || types.is_empty() {
            span.quiet { (amount(events)) @if events == 1 { " event" } @else { " events" } }
        }
    }
}

/// The metadata and the events.
fn body(changeset: &Changeset, detail: Detail) -> Markup {
    let metadata = changeset.metadata.as_str();
    let path = changeset_path(changeset.stream_id.as_str(), changeset.changeset_id.get());
    let shown: Vec<&str> = changeset.events.iter().take(detail.events).collect();
    let left = changeset
        .events
        .count()
        .saturating_sub(u64::try_from(shown.len()).unwrap_or(u64::MAX));
    html! {
        div.payload {
            @for (number, event) in (changeset.first_event_id.get()..).zip(&shown) {
                div.event { span.event-id title="The event of the stream" { "Event " (number) } (json(event, detail.bytes)) }
            }
            @if left > 0 {
                p.note {
                    "And " (amount(left)) " more. "
                    a href=(path) { "Changeset " (changeset.changeset_id) " alone" }
                }
            }
            @if metadata != "{}" {
                div.event { span.event-id { "Metadata" } (json(metadata, detail.bytes)) }
            }
        }
    }
}
