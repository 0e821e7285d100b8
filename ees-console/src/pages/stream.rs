//! A stream: its head and its changesets, in both directions.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use ees_core::{Changeset, Head, Page, PageLimit, StreamId, StreamQuery, Timestamp};
use maud::{Markup, html};

use crate::app::App;
use crate::asked::Asked;
use crate::fault::Fault;
use crate::fields::query;
use crate::moment::{changeset_at, parse};
use crate::pages::overview::first_steps;
use crate::sealed::log;
use crate::view::{
    Curl, Detail, Frame, Refusal, Section, amount, changeset, command, encoded, page as framed,
    shown, time,
};

/// The changesets of a page.
const LIMIT: PageLimit = PageLimit {
    items: 20,
    bytes: 512 * 1024,
};

/// Which part of the stream a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The newest changesets.
    Newest,
    /// Those up to one, the newest first.
    UpTo(u64),
    /// Those from one on, the oldest first.
    From(u64),
    /// One alone.
    Alone(u64),
}

impl Part {
    fn of(asked: &Asked) -> Result<Self, Fault> {
        let number = |name| asked.fields.number(name).map_err(Fault::Wrong);
        Ok(if let Some(alone) = number("changeset")? {
            Self::Alone(alone)
        } else if let Some(from) = number("from")? {
            Self::From(from)
        } else {
            number("to")?.map_or(Self::Newest, Self::UpTo)
        })
    }

    fn query(self, stream_id: &StreamId) -> StreamQuery {
        let query = StreamQuery::all(stream_id.clone()).limit(LIMIT);
        match self {
            Self::Newest => query.backward(),
            Self::UpTo(last) => query.changesets(..=last).backward(),
            Self::From(first) => query.changesets(first..),
            Self::Alone(number) => query.changesets(number..=number),
        }
    }

    /// The query of the same read over the API.
    fn call(self, stream_id: &StreamId) -> String {
        let path = format!(
            "/streams/{}/changesets?details=true",
            encoded(stream_id.as_str())
        );
        let items = LIMIT.items;
        match self {
            Self::Newest => format!("{path}&direction=backward&limit={items}"),
            Self::UpTo(last) => format!("{path}&to={last}&direction=backward&limit={items}"),
            Self::From(first) => format!("{path}&from={first}&limit={items}"),
            Self::Alone(number) => format!("{path}&from={number}&to={number}"),
        }
    }
}

pub(crate) async fn page(State(app): State<App>, asked: Asked) -> Result<Response, Refusal> {
    let refuse = |fault| Refusal::of(&asked, fault);
    let Some(id) = asked.fields.verbatim("id") else {
        let content = html! { h1 { "Stream" } (open_form(None)) };
        return Ok(framed(
            &Frame::new("Stream", &asked, Section::Stream),
            &content,
            None,
        ));
    };
    let _turn = app.turn().await.map_err(refuse)?;
    let stream_id: StreamId = id
        .parse()
        .map_err(|error: ees_core::StreamIdError| refuse(Fault::Wrong(error.to_string())))?;
    asked.viewer.reads(&stream_id).map_err(refuse)?;
    let head = app.read(app.store.head(&stream_id)).await;
    let head = match head {
        Err(Fault::Missing(_)) => return Ok(missing(&asked, &stream_id)),
        head => head.map_err(refuse)?,
    };
    if let Some(time) = asked.fields.get("at") {
        return to_time(&app, &stream_id, head, time).await.map_err(refuse);
    }
    let part = Part::of(&asked).map_err(refuse)?;
    let wanted = part.query(&stream_id);
    let read = app
        .read(app.store.changesets(&wanted))
        .await
        .map_err(refuse)?;
    Ok(of_stream(&app, &asked, &stream_id, head, part, &read))
}

/// Leads to the changesets around a time.
async fn to_time(
    app: &App,
    stream_id: &StreamId,
    head: Head,
    time: &str,
) -> Result<Response, Fault> {
    let at = parse(time).ok_or_else(|| {
        Fault::Wrong(format!(
            "`{time}` is no time: expected one as 2026-01-31 13:15, in UTC"
        ))
    })?;
    let last = head.last_changeset.get();
    let found = app
        .read(changeset_at(&app.store, stream_id, last, at))
        .await?;
    let to = (found + 9).min(last).to_string();
    let path = query(&[("id", stream_id.as_str()), ("to", &to)]);
    let shown = found.min(last);
    Ok(Redirect::to(&format!("/console/stream{path}#s{shown}")).into_response())
}

fn of_stream(
    app: &App,
    asked: &Asked,
    stream_id: &StreamId,
    head: Head,
    part: Part,
    read: &Page<Changeset>,
) -> Response {
    let now = Timestamp::now();
    let is_provable = log(app, &asked.viewer).is_ok();
    let detail = match part {
        Part::Alone(_) => Detail::ALONE,
        _ => Detail::PAGE,
    };
    let content = html! {
        p.kicker { "Stream" }
        h1.id { (shown(stream_id.as_str())) }
        dl.tiles {
            div { dt { "Changesets" } dd { (amount(head.last_changeset.get())) } }
            div { dt { "Events" } dd { (amount(head.last_event.get())) } }
            div.wide { dt { "Last commit" } dd { (time(head.last_timestamp, now)) } }
        }
        (time_form(stream_id))
        (ways(stream_id, head, read))
        @if read.items.is_empty() { p.empty { "The stream has no such changeset. Its last one is " (amount(head.last_changeset.get())) "." } }
        @for found in &read.items { (changeset(found, detail, is_provable, now)) }
        (ways(stream_id, head, read))
        details.open-another { summary { "Open another stream" } (open_form(None)) }
    };
    let call = part.call(stream_id);
    let curl = Curl {
        path: &call,
        ..Curl::default()
    };
    let frame = Frame::new(stream_id.as_str(), asked, Section::Stream);
    framed(&frame, &content, Some(&command(&curl.text(asked))))
}

/// The ways to newer and to older changesets.
fn ways(stream_id: &StreamId, head: Head, read: &Page<Changeset>) -> Markup {
    let ids = read.items.iter().map(|found| found.changeset_id.get());
    let (first, last) = (ids.clone().min().unwrap_or(1), ids.max().unwrap_or(1));
    let path = |name, number: u64| {
        let number = number.to_string();
        let fields = [("id", stream_id.as_str()), (name, number.as_str())];
        format!("/console/stream{}", query(&fields))
    };
    let newest = format!("/console/stream{}", query(&[("id", stream_id.as_str())]));
    let has_newer = last < head.last_changeset.get();
    html! {
        nav.pages aria-label="Changesets of the stream" {
            @if has_newer { a href=(newest) { "Newest" } a rel="prev" href=(path("from", last + 1)) { "Newer" } }
            @if first > 1 { a rel="next" href=(path("to", first - 1)) { "Older" } a href=(path("from", 1)) { "First" } }
        }
    }
}

fn time_form(stream_id: &StreamId) -> Markup {
    html! {
        form.filters method="get" action="/console/stream" {
            input type="hidden" name="id" value=(stream_id.as_str());
            label { "Around (UTC)" input type="datetime-local" name="at" step="1" required; }
            button type="submit" { "Show" }
        }
    }
}

fn open_form(id: Option<&str>) -> Markup {
    html! {
        form.filters method="get" action="/console/stream" {
            label { "Stream id" input type="text" name="id" value=[id] required placeholder="order-17" spellcheck="false" autocapitalize="off"; }
            button type="submit" { "Open" }
        }
        p.quiet { "The " a href="/console/log" { "log" } " finds streams by the beginning of their id." }
    }
}

/// A stream without a changeset does not exist. It begins with its first commit.
fn missing(asked: &Asked, stream_id: &StreamId) -> Response {
    let content = html! {
        p.kicker { "Stream" }
        h1.id { (shown(stream_id.as_str())) }
        p.empty { "This stream does not exist: it has no changeset yet. Its first commit creates it." }
        (command(&first_steps::commit_to(asked, stream_id.as_str(), None)))
        (open_form(Some(stream_id.as_str())))
    };
    let mut frame = Frame::new(stream_id.as_str(), asked, Section::Stream);
    frame.status = axum::http::StatusCode::NOT_FOUND;
    framed(&frame, &content, None)
}
