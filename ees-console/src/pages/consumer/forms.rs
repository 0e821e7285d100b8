//! What an operator may do with a consumer: retry and skip a parked stream, and reset.

use ees_core::Timestamp;
use ees_core::consumer::ParkedStream;
use ees_http::Right;
use maud::{Markup, html};

use crate::asked::Asked;
use crate::view::{
    Curl, age, between, changeset_path, command, cut, quoted, shown, span, stream_link,
};

/// The longest error that a page shows, in characters.
const MAX_ERROR: usize = 4000;

/// What was done, by the word for it in the address.
pub(crate) fn done(word: &str) -> Option<&'static str> {
    match word {
        "retry" => Some("The stream is due: the next worker that claims its partition tries it."),
        "skip" => Some(
            "The changesets are skipped: the next worker that claims the partition goes on behind them.",
        ),
        "reset" => Some("The consumer was moved. What follows the checkpoint is handed out again."),
        _ => None,
    }
}

/// A parked stream, with its error and its forms.
pub(crate) fn parked(asked: &Asked, consumer: &str, of: &ParkedStream, now: Timestamp) -> Markup {
    let id = of.stream_id.as_str();
    let from = of.from_changeset.get();
    html! {
        article.parked {
            header {
                h3 { (stream_link(id)) }
                span.quiet { "at " a href=(changeset_path(id, from)) { "changeset " (from) } }
            }
            pre.error tabindex="0" { (shown(&cut(&of.error, MAX_ERROR))) }
            p.facts {
                @if of.stopped { strong.bad { "Its partition has stopped here" } " · " }
                "parked " (age(of.since, now)) " · " (of.attempts) @if of.attempts == 1 { " attempt" } @else { " attempts" } " · "
                @match of.next_try {
                    Some(next) if next > now => { "tried again in " (span(between(now, next))) }
                    Some(_) => { "due now: it waits for a worker" }
                    None => { strong { "waits for you" } }
                }
            }
            @if asked.viewer.has(Right::Admin) { (forms(asked, consumer, id, from)) }
            @else { p.note { "Retry and skip need a key with the right " code { "admin" } "." } }
        }
    }
}

fn forms(asked: &Asked, consumer: &str, id: &str, from: u64) -> Markup {
    html! {
        div.actions {
            form method="post" action="/console/consumer/retry" {
                (hidden(asked, consumer, Some(id)))
                button type="submit" { "Retry" }
            }
            details {
                summary.button { "Skip..." }
                form method="post" action="/console/consumer/skip" {
                    (hidden(asked, consumer, Some(id)))
                    p { "The consumer will not see the skipped changesets again, unless it is reset." }
                    label { "Skip through changeset" input type="number" name="through" min=(from) value=(from) required inputmode="numeric"; }
                    button.danger type="submit" { "Skip" }
                }
                (command(&skip_call(asked, consumer, id, from)))
            }
        }
    }
}

fn skip_call(asked: &Asked, consumer: &str, id: &str, from: u64) -> String {
    let body = ees_core::Json::of(&id).map_or_else(
        |_| String::new(),
        |id| {
            format!(
                "{{\"stream_id\": {}, \"through_changeset\": {from}}}",
                id.as_str()
            )
        },
    );
    let path = format!("/consumers/{consumer}/skip");
    let curl = Curl {
        path: &path,
        options: &format!("-d {}", quoted(&body)),
    };
    curl.text(asked)
}

/// The form that moves a consumer.
pub(crate) fn reset(asked: &Asked, consumer: &str, head: u64) -> Markup {
    html! {
        details {
            summary { h2 { "Reset" } }
            form.filters method="post" action="/console/consumer/reset" {
                (hidden(asked, consumer, None))
                label { "Move all partitions to checkpoint" input type="number" name="checkpoint" min="0" max=(head) required inputmode="numeric"; }
                button.danger type="submit" { "Reset" }
            }
            p.quiet { "Batches that are out end. What follows the checkpoint is handed out again: workers see changesets that they have handled before. The head is " (head) "." }
        }
    }
}

fn hidden(asked: &Asked, consumer: &str, stream_id: Option<&str>) -> Markup {
    html! {
        input type="hidden" name="token" value=(asked.viewer.token);
        input type="hidden" name="name" value=(consumer);
        @if let Some(id) = stream_id { input type="hidden" name="stream" value=(id); }
    }
}
