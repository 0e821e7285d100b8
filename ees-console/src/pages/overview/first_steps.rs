//! The first five minutes: the commands that come next.

use ees_core::Changeset;
use maud::{Markup, html};

use crate::asked::Asked;
use crate::view::{Curl, command, encoded, quoted, shown, stream_link};

/// How long a store is at its beginning, in changesets.
const BEGINNING: u64 = 5;

/// Whether a store is so young that its pages say what comes next.
pub(crate) fn is_beginning(head: u64) -> bool {
    head <= BEGINNING
}

/// The command that commits to a stream; `last` is its last changeset.
pub(crate) fn commit_to(asked: &Asked, stream_id: &str, last: Option<u64>) -> String {
    let expected = last.map(|last| format!("?expected_last_changeset={last}"));
    let expected = expected.unwrap_or_default();
    let path = format!("/streams/{}{expected}", encoded(stream_id));
    let events = match last {
        None => r#"{"events": [{"type": "placed", "items": 3}]}"#,
        Some(_) => r#"{"events": [{"type": "paid", "cents": 1250}]}"#,
    };
    let curl = Curl {
        path: &path,
        options: &format!("-d {}", quoted(events)),
    };
    curl.text(asked)
}

/// What an empty store offers.
pub(crate) fn commit_one(asked: &Asked) -> Markup {
    html! {
        section.first-steps aria-label="First steps" {
            h2 { "No changeset yet" }
            p { "The store is empty. Commit a first changeset: it appears here by itself." }
            (command(&commit_to(asked, "order-17", None)))
            p.quiet { "A commit appends the events to the stream " code { "order-17" } ", which begins with it." }
        }
    }
}

/// What a store offers whose last changeset is this one.
pub(crate) fn commit_next(asked: &Asked, newest: &Changeset) -> Markup {
    let id = newest.stream_id.as_str();
    let last = newest.changeset_id.get();
    let read = format!("/streams/{}/changesets", encoded(id));
    let read = Curl {
        path: &read,
        ..Curl::default()
    };
    html! {
        section.first-steps aria-label="Next steps" {
            h2 { "What comes next" }
            p { "Append to " (stream_link(id)) ". The commit names the last changeset that it has seen, " (last) ": if another one came first, it is refused, and tells what it missed." }
            (command(&commit_to(asked, id, Some(last))))
            p { "Read the stream " (shown(id)) ":" }
            (command(&read.text(asked)))
            p { "Follow all streams as they grow:" }
            (command(&Curl { path: "/changesets", options: "-N -H 'Accept: text/event-stream'" }.text(asked)))
            p.quiet { "The page " a href="/docs" { "API" } " has every call." }
        }
    }
}
