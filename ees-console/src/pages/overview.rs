//! Is it up, who lags, and what was committed last.

pub(crate) mod first_steps;
mod lags;

use std::time::Instant;

use axum::extract::State;
use axum::response::Response;
use ees_core::{Changeset, Statistics, Timestamp};
use ees_http::Right;
use maud::{Markup, html};

use super::consumers::{Reported, reports};
use crate::app::App;
use crate::asked::Asked;
use crate::fault::Fault;
use crate::history::Totals;
use crate::newest::{Wanted, newest};
use crate::view::metrics_text::values;
use crate::view::{
    Curl, Frame, Plot, Refusal, Section, age, amount, bytes, command, page as framed, plot, row,
    shown, span,
};

/// How many of the newest changesets it shows.
const ROWS: usize = 5;

/// What the page shows. Each part may fail alone, so that it tells what it can while the storage does
/// not answer.
struct Seen {
    ready: Result<(), Fault>,
    head: Result<u64, Fault>,
    statistics: Result<Statistics, Fault>,
    newest: Result<Vec<Changeset>, Fault>,
    consumers: Result<(Vec<Reported>, bool), Fault>,
    uncounted: Option<Timestamp>,
    metrics: Option<String>,
}

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
        (lags::lags(&asked, &seen))
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

/// Reads all parts at once.
async fn look(app: &App, asked: &Asked) -> Seen {
    let viewer = &asked.viewer;
    let (store, reads) = (&app.store, viewer.needs(Right::Read));
    let head = app.read(store.next_checkpoint());
    let statistics = async {
        reads.clone()?;
        if !viewer.reaches_all() {
            return Err(Fault::Forbidden(
                "the key is limited to some streams, and the statistics count all".to_owned(),
            ));
        }
        app.read(store.statistics()).await
    };
    let ready = app.read(store.check_ready());
    let consumers = reports(app, viewer, "");
    let (ready, head, statistics, consumers) = tokio::join!(ready, head, statistics, consumers);
    let head = head.map(ees_core::Checkpoint::get);
    let uncounted = match (&head, &statistics) {
        (Ok(head), Ok(counted)) => lags::uncounted(app, *head, counted.version.get()).await,
        _ => None,
    };
    let metrics = app.settings.metrics.as_ref();
    let metrics = metrics.filter(|_| viewer.has(Right::Metrics));
    Seen {
        newest: newest_changesets(app, asked, &head).await,
        metrics: metrics.map(ees_http::MetricsText::write),
        ready,
        head,
        statistics,
        consumers,
        uncounted,
    }
}

async fn newest_changesets(
    app: &App,
    asked: &Asked,
    head: &Result<u64, Fault>,
) -> Result<Vec<Changeset>, Fault> {
    let filter = asked.viewer.filter(None, None)?;
    let wanted = Wanted {
        floor: 0,
        before: head.clone()?,
        rows: ROWS,
        is_filtered: !filter.is_unlimited(),
    };
    let store = app.store.with_filter(filter);
    Ok(app.read(newest(&store, wanted)).await?.changesets)
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
