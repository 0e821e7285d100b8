//! A consumer: its definition, its partitions, its lag, and its parked streams.

mod forms;

use std::time::Instant;

use axum::extract::State;
use axum::response::Response;
use ees_core::consumer::{ConsumerDefinition, ConsumerName, ConsumerReport, ParkedStream};
use ees_core::{Page, StreamId, Timestamp};
use ees_http::Right;
use maud::{Markup, html};

use super::consumers;
use super::holds::{holds, parked};
use crate::app::App;
use crate::asked::Asked;
use crate::fault::Fault;
use crate::fields::query;
use crate::view::{
    Curl, Frame, Plot, Refusal, Section, amount, command, page as framed, plot, shown, span,
};

/// How many parked streams a page has.
const PARKED: usize = 25;

/// What a page of a consumer shows.
struct Seen {
    report: ConsumerReport,
    parked: Page<ParkedStream>,
    head: u64,
}

pub(crate) async fn page(State(app): State<App>, asked: Asked) -> Result<Response, Refusal> {
    let refuse = |fault| Refusal::of(&asked, fault);
    let _turn = app.turn().await.map_err(refuse)?;
    let seen = seen(&app, &asked).await.map_err(refuse)?;
    let name = seen.report.name.as_str();
    let lag = app.history.lag(Instant::now(), name);
    let content = html! {
        p.kicker { "Consumer" }
        h1.id { (shown(name)) }
        @if let Some(done) = asked.fields.get("done").and_then(forms::done) { p.good-news role="status" { (done) } }
        (tiles(&seen))
        (plot(&Plot { title: "Behind the head", unit: "seconds", points: &lag, kind: "lag" }))
        (parked_streams(&asked, &seen))
        (partitions(&seen))
        (definition(&seen.report.definition))
        @if asked.viewer.has(Right::Admin) { (forms::reset(&asked, name, seen.head)) }
    };
    let path = format!("/consumers/{name}");
    let curl = Curl {
        path: &path,
        ..Curl::default()
    };
    let mut frame = Frame::new(name, &asked, Section::Consumers);
    frame.refresh = Some(10);
    Ok(framed(&frame, &content, Some(&command(&curl.text(&asked)))))
}

async fn seen(app: &App, asked: &Asked) -> Result<Seen, Fault> {
    let consumers = consumers::seen(app, &asked.viewer)?;
    let name = asked.fields.get("name").unwrap_or_default();
    let name: ConsumerName = name
        .parse()
        .map_err(|error: ees_core::consumer::ConsumerNameError| Fault::Wrong(error.to_string()))?;
    let after = asked.fields.verbatim("after");
    let after: Option<StreamId> = after.and_then(|after| after.parse().ok());
    let report = app.read(consumers.report(&name)).await?;
    let parked = consumers.parked(&name, after.as_ref(), PARKED);
    let parked = app.read(parked).await?;
    let head = app.read(app.store.next_checkpoint()).await?.get();
    Ok(Seen {
        report,
        parked,
        head,
    })
}

fn tiles(seen: &Seen) -> Markup {
    let Seen { report, .. } = seen;
    let parked = parked(report);
    html! {
        dl.tiles {
            div { dt { "Behind" } dd { @if report.lag_changesets == 0 { span.good { "up to date" } } @else { (span(report.lag)) } } }
            div { dt { "Changesets to go" } dd { (amount(report.lag_changesets)) } }
            div { dt { "Parked streams" } dd { @if parked > 0 { span.bad { (parked) } } @else { "0" } } }
            div.wide { dt { "What holds it" } dd.words { (shown(&holds(report))) } }
        }
    }
}

fn parked_streams(asked: &Asked, seen: &Seen) -> Markup {
    let name = seen.report.name.as_str();
    let now = Timestamp::now();
    let last = seen.parked.items.last().filter(|_| seen.parked.more);
    html! {
        section aria-label="Parked streams" {
            h2 { "Parked streams" }
            @if seen.parked.items.is_empty() { p.empty { "None. A stream is parked when a worker could not handle one of its changesets." } }
            @for parked in &seen.parked.items { (forms::parked(asked, name, parked, now)) }
            @if let Some(last) = last {
                @let path = query(&[("name", name), ("after", last.stream_id.as_str())]);
                nav.pages { a rel="next" href=(format!("/console/consumer{path}")) { "Further parked streams" } }
            }
        }
    }
}

fn partitions(seen: &Seen) -> Markup {
    html! {
        section aria-label="Partitions" {
            h2 { "Partitions" }
            table {
                thead { tr { th.number scope="col" { "Partition" } th.number scope="col" { "Checkpoint" } th.number scope="col" { "To go" } th scope="col" { "Worker" } th scope="col" { "Has its batch for" } th scope="col" { "Lease left" } th.number scope="col" { "Parked" } } }
                tbody {
                    @for (number, partition) in seen.report.partitions.iter().enumerate() {
                        @let checkpoint = partition.checkpoint.get();
                        tr {
                            th.number scope="row" { (number) }
                            td.number data-label="Checkpoint" { (amount(checkpoint)) }
                            td.number data-label="To go" { (amount(seen.head.saturating_sub(checkpoint))) }
                            @if let Some(batch) = &partition.batch {
                                td data-label="Worker" { (shown(&batch.worker)) }
                                td data-label="Has its batch for" { (span(batch.out)) }
                                td data-label="Lease left" { (span(batch.lease_left)) }
                            } @else {
                                td.quiet data-label="Worker" { "none" }
                                td.quiet data-label="Has its batch for" { "-" }
                                td.quiet data-label="Lease left" { "-" }
                            }
                            td.number data-label="Parked" { (partition.parked) }
                        }
                    }
                }
            }
        }
    }
}

fn definition(of: &ConsumerDefinition) -> Markup {
    let list = |texts: &[String]| {
        html! {
            @if texts.is_empty() { "all" }
            @for text in texts.iter().take(20) { code { (shown(text)) } " " }
            @if texts.len() > 20 { span.quiet { "and " (texts.len() - 20) " more" } }
        }
    };
    let pauses: Vec<String> = of.retry_seconds.iter().map(ToString::to_string).collect();
    let on_failure = match of.on_failure {
        ees_core::consumer::OnFailure::Park => "parks the stream",
        ees_core::consumer::OnFailure::Stop => "stops the partition",
    };
    html! {
        details {
            summary { h2 { "Definition" } }
            dl.facts-list {
                dt { "Streams that begin with" } dd { (list(&of.stream_prefixes)) }
                dt { "Event types" } dd { (list(&of.event_types)) }
                dt { "Partitions" } dd { (of.partitions) }
                dt { "Lease" } dd { (of.lease_seconds) " s" }
                dt { "Pauses before each retry" } dd { @if pauses.is_empty() { "no retry" } @else { (pauses.join(" s, ")) " s" } }
                dt { "A changeset that fails" } dd { (on_failure) }
            }
        }
    }
}
