//! Is it up, who lags, and what was committed last.

pub(crate) mod first_steps;
mod lags;
mod seen;

use std::time::Instant;

use axum::extract::State;
use axum::response::Response;
use ees_core::Timestamp;
use ees_http::Right;
use maud::{Markup, html};

use self::seen::{Seen, look};
use crate::app::App;
use crate::asked::Asked;
use crate::history::Totals;
use crate::view::metrics_text::values;
use crate::view::{
    Curl, Frame, Plot, Refusal, Section, age, amount, bytes, command, page as framed, plot, row,
    shown, span,
};

pub(crate) async fn page(State(app): State<App>, asked: Asked) -> Result<Response, Refusal> {
    let _turn = app
        .turn()
        .await
        .map_err(|fault| Refusal::of(&asked, fault))?;
    let seen = look(&app, &asked).await;
    let head = seen.head.clone().ok();
    let content = html! {
        h1 { "Overview" }
        (state(&app, &seen))
        @if head == Some(0) { (first_steps::commit_one(&asked)) }
        (tiles(&seen))
        (plots(&app, &asked))
        @if head != Some(0) { (newest_rows(&asked, &seen, head)) }
        (lags::lags(&app, &asked, &seen))
    };
    let mut frame = Frame::new("Overview", &asked, Section::Overview);
    let is_young = head.is_some_and(first_steps::is_beginning);
    frame.refresh = Some(if is_young { 2 } else { 10 });
    let curl = Curl {
        path: "/health/ready",
        ..Curl::default()
    };
    Ok(framed(&frame, &content, Some(&command(&curl.text(&asked)))))
}

fn state(app: &App, seen: &Seen) -> Markup {
    let store = app.store.store_id().map(|id| id.to_string());
    html! {
        @match &seen.ready {
            Ok(()) => { p.state.good-news role="status" { strong { "Up" } " The storage answers, and commits can be written." } }
            Err(fault) => { p.state.bad-news role="alert" { strong { "Not ready" } " " (shown(fault.message())) } }
        }
        p.facts {
            "Version " (env!("CARGO_PKG_VERSION")) " · up for " (span(app.begun.elapsed())) " · "
            code { (shown(&app.settings.storage)) }
            @if let Some(store) = store { " · store " code { (store) } }
        }
    }
}

fn tiles(seen: &Seen) -> Markup {
    let now = Timestamp::now();
    let last = seen.newest.as_ref().ok().and_then(|newest| newest.first());
    html! {
        dl.tiles {
            div { dt { "Head of the order" } dd { @match &seen.head { Ok(head) => { (amount(*head)) }, Err(_) => { "not known" } } } }
            div { dt { "Last commit" } dd { @if let Some(last) = last { (age(last.timestamp, now)) } @else { "-" } } }
            @if let Ok(counted) = &seen.statistics {
                div { dt { "Streams" } dd { (amount(counted.total_streams)) } }
                div { dt { "Events" } dd { (amount(counted.total_events)) } }
            }
            @if let Some(size) = storage_bytes(seen) { div { dt { "Storage" } dd { (bytes(size)) } } }
        }
    }
}

/// The size of the storage, where the metrics tell it.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a size is a whole number
fn storage_bytes(seen: &Seen) -> Option<u64> {
    let text = seen.metrics.as_ref()?;
    let (_, size) = values(text, "ees_storage_bytes").next()?;
    Some(size as u64)
}

fn plots(app: &App, asked: &Asked) -> Markup {
    let now = Instant::now();
    let rates = |of: fn(&Totals) -> f64| app.history.rates(now, of);
    html! {
        section aria-label="The last hour" {
            h2 { "The last hour of this server" }
            @if !asked.viewer.has(Right::Metrics) {
                p.note { "The key lacks the right " code { "metrics" } "." }
            } @else if app.settings.metrics.is_none() {
                p.note { "The server records no metrics." }
            } @else {
                div.plots {
                    (plot(&Plot { title: "Commits", unit: "per second", points: &rates(|of| of.commits), kind: "commits" }))
                    (plot(&Plot { title: "Reads", unit: "per second", points: &rates(|of| of.reads), kind: "reads" }))
                    (plot(&Plot { title: "Errors", unit: "per second", points: &rates(|of| of.errors), kind: "bad" }))
                }
            }
        }
    }
}

fn newest_rows(asked: &Asked, seen: &Seen, head: Option<u64>) -> Markup {
    let now = Timestamp::now();
    html! {
        section aria-label="Newest changesets" {
            h2 { "Newest changesets" }
            @match &seen.newest {
                Ok(newest) => {
                    ol.rows { @for found in newest { (row(found, now)) } }
                    @if head.is_some_and(first_steps::is_beginning) {
                        @if let Some(newest) = newest.first() { (first_steps::commit_next(asked, newest)) }
                    }
                    p { a href="/console/log" { "The log" } }
                }
                Err(fault) => { p.note { (shown(fault.message())) } }
            }
        }
    }
}
