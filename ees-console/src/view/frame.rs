//! The frame of every page.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use ees_core::Timestamp;
use maud::{DOCTYPE, Markup, html};

use super::format::clock;
use super::shown::{cut, shown, visible};
use crate::asked::Asked;
use crate::fault::Fault;

/// A part of the console, as the navigation names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    Overview,
    Log,
    Stream,
    Consumers,
    Evidence,
}

const SECTIONS: [(Section, &str, &str); 5] = [
    (Section::Overview, "/console", "Overview"),
    (Section::Log, "/console/log", "Log"),
    (Section::Stream, "/console/stream", "Stream"),
    (Section::Consumers, "/console/consumers", "Consumers"),
    (Section::Evidence, "/console/evidence", "Evidence"),
];

/// The longest title, in characters.
const MAX_TITLE: usize = 80;

/// What a page tells its frame.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) title: &'a str,
    /// `None`: a page before the login.
    pub(crate) asked: Option<&'a Asked>,
    pub(crate) section: Option<Section>,
    /// After so many seconds the script loads the page again.
    pub(crate) refresh: Option<u32>,
    pub(crate) status: StatusCode,
}

impl<'a> Frame<'a> {
    /// The frame of a page that is as it was asked for.
    pub(crate) fn new(title: &'a str, asked: &'a Asked, section: Section) -> Self {
        Self {
            title,
            asked: Some(asked),
            section: Some(section),
            refresh: None,
            status: StatusCode::OK,
        }
    }
}

/// A page. `command` is the command behind it.
pub(crate) fn page(frame: &Frame, content: &Markup, command: Option<&Markup>) -> Response {
    let now = Timestamp::now();
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (visible(&cut(frame.title, MAX_TITLE))) " · Elastic Event Store" }
                link rel="icon" href="/console/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/console/console.css";
                script src="/console/console.js" defer {}
            }
            body {
                a.skip href="#main" { "To the content" }
                (header(frame))
                main #main data-refresh=[frame.refresh] {
                    (content)
                    @if let Some(command) = command {
                        section.behind aria-label="The command behind this page" {
                            h2 { "The same with curl" }
                            (command)
                        }
                    }
                    p.made {
                        "As of " time datetime=(now.to_string()) { (clock(now)) }
                        " " span data-age {} " "
                        @if let Some(asked) = frame.asked { a href=(asked.path) data-again { "Refresh" } }
                    }
                }
            }
        }
    };
    (frame.status, Html(markup.into_string())).into_response()
}

fn header(frame: &Frame) -> Markup {
    html! {
        header.top {
            a.brand href="/console" { span.mark aria-hidden="true" {} "Event Store" }
            @if let Some(asked) = frame.asked {
                nav aria-label="Pages" {
                    @for (section, path, name) in SECTIONS {
                        @let current = (frame.section == Some(section)).then_some("page");
                        a href=(path) aria-current=[current] { (name) }
                    }
                    a href="/docs" { "API" }
                }
                @if let Some(name) = asked.viewer.name() {
                    form.who method="post" action="/console/logout" {
                        input type="hidden" name="token" value=(asked.viewer.token);
                        span.quiet title="The name of the key" { (shown(name)) }
                        button.quiet-button type="submit" { "Log out" }
                    }
                }
            }
        }
    }
}

/// A page that says why there is none.
#[derive(Debug)]
pub(crate) struct Refusal {
    fault: Fault,
    asked: Option<Box<Asked>>,
}

impl Refusal {
    /// The refusal of what somebody asked for.
    pub(crate) fn of(asked: &Asked, fault: Fault) -> Self {
        Self {
            fault,
            asked: Some(Box::new(asked.clone())),
        }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self { fault, asked: None }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if matches!(self.fault, Fault::Storage(_)) {
            tracing::warn!("a page of the console: {}", self.fault.message());
        }
        let title = self.fault.title();
        let content = html! {
            h1 { (title) }
            p.bad-news role="alert" { (shown(self.fault.message())) }
            p { a href="/console" { "To the overview" } }
        };
        let frame = Frame {
            title,
            asked: self.asked.as_deref(),
            section: None,
            refresh: None,
            status: self.fault.status(),
        };
        page(&frame, &content, None)
    }
}
