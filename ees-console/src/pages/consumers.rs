//! All consumers, and how far each has come.

use axum::extract::State;
use axum::response::Response;
use ees_core::consumer::{ConsumerName, ConsumerReport, Consumers};
use ees_http::Right;
use futures_util::future::join_all;
use maud::{Markup, html};

use super::holds::{holds, parked};
use crate::app::App;
use crate::asked::Asked;
use crate::fault::Fault;
use crate::fields::query;
use crate::view::{
    Curl, Frame, Refusal, Section, amount, command, page as framed, quoted, shown, span,
};
use crate::viewer::Viewer;

/// How many consumers a page has: each costs a few reads.
pub(crate) const ROWS: usize = 20;

/// A consumer with its report, or why there is none.
pub(crate) type Reported = (String, Result<ConsumerReport, Fault>);

/// The consumers that a viewer may see.
pub(crate) fn seen(app: &App, viewer: &Viewer) -> Result<Consumers, Fault> {
    viewer.needs(Right::Consume)?;
    reached(app, viewer)
}

/// The consumers that get only streams within a viewer's prefixes.
pub(crate) fn reached(app: &App, viewer: &Viewer) -> Result<Consumers, Fault> {
    let consumers = app.store.consumers().map_err(ees_core::Error::from)?;
    Ok(match viewer.caller.clone() {
        None => consumers,
        Some(caller) => {
            consumers.within(move |definition| caller.reaches(&definition.stream_prefixes))
        }
    })
}

/// The reports of consumers after a name, and whether there are more. A viewer who is limited to some
/// streams cannot list them, as over the API.
pub(crate) async fn reports(
    app: &App,
    viewer: &Viewer,
    after: &str,
) -> Result<(Vec<Reported>, bool), Fault> {
    let consumers = seen(app, viewer)?;
    if !viewer.reaches_all() {
        return Err(Fault::Forbidden(
            "the key is limited to some streams, and the list reaches all: open a consumer by its name"
                .to_owned(),
        ));
    }
    let names = app.read(consumers.names()).await?;
    let mut names = names.into_iter().filter(|name| name.as_str() > after);
    let first: Vec<String> = names.by_ref().take(ROWS).collect();
    let reports = first.into_iter().map(async |name| {
        let report = match name.parse::<ConsumerName>() {
            Ok(parsed) => app.read(consumers.report(&parsed)).await,
            Err(error) => Err(Fault::Wrong(error.to_string())),
        };
        (name, report)
    });
    Ok((join_all(reports).await, names.next().is_some()))
}

pub(crate) async fn page(State(app): State<App>, asked: Asked) -> Result<Response, Refusal> {
    let refuse = |fault| Refusal::of(&asked, fault);
    let _turn = app.turn().await.map_err(refuse)?;
    let after = asked.fields.get("after").unwrap_or_default();
    let listed = reports(&app, &asked.viewer, after).await;
    let listed = match listed {
        Err(fault @ Fault::Forbidden(_)) if asked.viewer.has(Right::Consume) => Err(fault),
        listed => Ok(listed.map_err(refuse)?),
    };
    let content = html! {
        h1 { "Consumers" }
        p.lead { "Who reads the global order with checkpoints that the store keeps, and how far everyone has come." }
        @match &listed {
            Ok((reports, more)) => { (list(&asked, reports, *more)) }
            Err(fault) => { p.note { (shown(fault.message())) } }
        }
        form.filters method="get" action="/console/consumer" {
            label { "Consumer" input type="text" name="name" required maxlength="64" placeholder="billing" spellcheck="false" autocapitalize="off"; }
            button type="submit" { "Open" }
        }
    };
    let mut frame = Frame::new("Consumers", &asked, Section::Consumers);
    frame.refresh = Some(10);
    let curl = Curl {
        path: "/consumers",
        ..Curl::default()
    };
    Ok(framed(&frame, &content, Some(&command(&curl.text(&asked)))))
}

fn list(asked: &Asked, reports: &[Reported], more: bool) -> Markup {
    if reports.is_empty() {
        return none(asked);
    }
    let last = reports.last().map(|(name, _)| name.as_str());
    html! {
        (table(reports))
        @if let Some(last) = last.filter(|_| more) {
            nav.pages { a rel="next" href=(format!("/console/consumers{}", query(&[("after", last)]))) { "Further consumers" } }
        }
    }
}

/// A table of consumers.
pub(crate) fn table(reports: &[Reported]) -> Markup {
    html! {
        table {
            thead { tr { th scope="col" { "Consumer" } th scope="col" { "Behind" } th.number scope="col" { "Changesets" } th.number scope="col" { "Parked" } th scope="col" { "What holds it" } } }
            tbody { @for (name, report) in reports { (line(name, report)) } }
        }
    }
}

fn line(name: &str, report: &Result<ConsumerReport, Fault>) -> Markup {
    let href = format!("/console/consumer{}", query(&[("name", name)]));
    html! {
        tr {
            th scope="row" { a href=(href) { (shown(name)) } }
            @match report {
                Ok(report) => {
                    td data-label="Behind" { @if report.lag_changesets == 0 { span.good { "up to date" } } @else { (span(report.lag)) } }
                    td.number data-label="Changesets" { (amount(report.lag_changesets)) }
                    td.number data-label="Parked" { @if parked(report) > 0 { strong.bad { (parked(report)) } } @else { "0" } }
                    td data-label="What holds it" { (shown(&holds(report))) }
                }
                Err(fault) => { td colspan="4" { (shown(fault.message())) } }
            }
        }
    }
}

fn none(asked: &Asked) -> Markup {
    let definition = quoted(r#"{"stream_prefixes": ["order-"]}"#);
    let define = Curl {
        path: "/consumers/billing",
        options: &format!("-X PUT -d {definition}"),
    };
    let claim = Curl {
        path: "/consumers/billing/claim",
        options: &format!(
            "-d {}",
            quoted(r#"{"worker": "w1", "limit": 100, "wait": 20}"#)
        ),
    };
    html! {
        section.first-steps aria-label="First steps" {
            h2 { "No consumer yet" }
            p { "A consumer is a name, and a filter. The store remembers how far it has come, and hands batches to its workers. Define one:" }
            (command(&define.text(asked)))
            p { "Claim its first batch:" }
            (command(&claim.text(asked)))
        }
    }
}
