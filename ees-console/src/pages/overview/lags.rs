//! Who lags, by how much, and on what.

use std::time::Duration;

use ees_core::Timestamp;
use maud::{Markup, html};

use super::seen::Seen;
use crate::app::App;
use crate::asked::Asked;
use crate::pages::consumers::table;
use crate::sealed;
use crate::view::metrics_text::{label, values};
use crate::view::{amount, between, shown, span};

/// A worker of the server that lags, or not.
struct Lag {
    name: String,
    behind: Duration,
    holds: String,
}

/// The lag of the background work, and of the consumers.
pub(super) fn lags(app: &App, asked: &Asked, seen: &Seen) -> Markup {
    let work = work(app, seen);
    html! {
        @if !work.is_empty() {
            section aria-label="Background work" {
                h2 { "Background work" }
                table {
                    thead { tr { th scope="col" { "Work" } th scope="col" { "Behind" } th scope="col" { "What holds it" } } }
                    tbody {
                        @for lag in &work {
                            tr {
                                th scope="row" { (lag.name) }
                                td data-label="Behind" { @if lag.behind.is_zero() { span.good { "up to date" } } @else { (span(lag.behind)) } }
                                td data-label="What holds it" { (shown(&lag.holds)) }
                            }
                        }
                    }
                }
            }
        }
        section aria-label="Consumers" {
            h2 { "Consumers" }
            @match &seen.consumers {
                Err(fault) => { p.note { (shown(fault.message())) } }
                Ok((reports, _)) if reports.is_empty() => { p.empty { "No consumer is defined. " a href="/console/consumers" { "How to define one" } } }
                Ok((reports, more)) => {
                    (table(reports))
                    @if *more { p { a href="/console/consumers" { "All consumers" } } }
                }
            }
            @if asked.viewer.caller.is_none() && seen.consumers.is_err() { p.quiet { "This storage keeps no consumers, or does not answer." } }
        }
    }
}

fn work(app: &App, seen: &Seen) -> Vec<Lag> {
    let mut work = Vec::new();
    if let (Ok(head), Ok(counted)) = (&seen.head, &seen.statistics) {
        let left = head.saturating_sub(counted.version.get());
        work.push(Lag {
            name: "Statistics".to_owned(),
            behind: since(seen.uncounted),
            holds: match left {
                0 => "nothing: all changesets are counted".to_owned(),
                left => format!("{} changesets to count", amount(left)),
            },
        });
    }
    if let (Ok(head), Ok(sealed)) = (&seen.head, &seen.sealed) {
        work.push(Lag {
            name: "Verifiable log".to_owned(),
            behind: since(seen.unsealed),
            holds: sealed::holds(app, head.saturating_sub(*sealed)),
        });
    }
    let text = seen.metrics.as_deref().unwrap_or_default();
    for (_, seconds) in values(text, "ees_index_lag_seconds") {
        work.push(Lag {
            name: "Index".to_owned(),
            behind: duration(seconds),
            holds: held(text),
        });
    }
    for (labels, seconds) in values(text, "ees_publish_lag_seconds") {
        let topic = label(labels, "topic").unwrap_or("messages");
        work.push(Lag {
            name: format!("Publishing {topic}"),
            behind: duration(seconds),
            holds: if seconds > 0.0 {
                "messages that the publisher has not delivered yet".to_owned()
            } else {
                "nothing: everything is published".to_owned()
            },
        });
    }
    work
}

/// What holds readers of an order that is made after the commit.
fn held(text: &str) -> String {
    let held = values(text, "ees_index_held_seconds").filter(|(_, seconds)| *seconds > 0.0);
    let held: Vec<String> = held
        .map(|(labels, seconds)| {
            let reason = label(labels, "reason").unwrap_or("not known");
            format!("{reason}, for {}", span(duration(seconds)))
        })
        .collect();
    if held.is_empty() {
        "nothing holds readers".to_owned()
    } else {
        format!("readers are held: {}", held.join("; "))
    }
}

fn since(time: Option<Timestamp>) -> Duration {
    time.map_or(Duration::ZERO, |time| between(time, Timestamp::now()))
}

fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or_default()
}
