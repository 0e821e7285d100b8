//! The global order, newest first.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use ees_core::{Filter, Timestamp};
use maud::{Markup, html};

use crate::app::App;
use crate::asked::Asked;
use crate::fault::Fault;
use crate::fields::query;
use crate::moment::{parse, position_at};
use crate::newest::{Newest, Wanted, newest};
use crate::pages::overview::first_steps;
use crate::view::{Curl, Frame, Refusal, Section, amount, command, encoded, page as framed, row};

/// How many changesets a page has.
pub(crate) const ROWS: usize = 25;

/// What a reader of the log asked for.
pub(crate) struct Wish<'a> {
    pub(crate) prefix: Option<&'a str>,
    pub(crate) event_type: Option<&'a str>,
    pub(crate) filter: Filter,
}

impl<'a> Wish<'a> {
    pub(crate) fn of(asked: &'a Asked) -> Result<Self, Fault> {
        let prefix = asked.fields.verbatim("prefix");
        let event_type = asked.fields.verbatim("type");
        Ok(Self {
            filter: asked.viewer.filter(prefix, event_type)?,
            prefix,
            event_type,
        })
    }

    /// The fields of the wish, and one more.
    fn fields(&self, more: Option<(&'a str, &'a str)>) -> Vec<(&'a str, &'a str)> {
        let prefix = self.prefix.map(|prefix| ("prefix", prefix));
        let of = self.event_type.map(|of| ("type", of));
        [prefix, of, more].into_iter().flatten().collect()
    }
}

/// What a page of the log shows.
struct Seen {
    head: u64,
    before: u64,
    newest: Newest,
}

pub(crate) async fn page(State(app): State<App>, asked: Asked) -> Result<Response, Refusal> {
    let refuse = |fault| Refusal::of(&asked, fault);
    let _turn = app.turn().await.map_err(refuse)?;
    let wish = Wish::of(&asked).map_err(refuse)?;
    let head = app
        .read(app.store.next_checkpoint())
        .await
        .map_err(refuse)?
        .get();
    if let Some(time) = asked.fields.get("at") {
        return to_time(&app, &wish, head, time).await.map_err(refuse);
    }
    let before = asked.fields.number("before");
    let before = before.map_err(|wrong| refuse(Fault::Wrong(wrong)))?;
    let is_live = before.is_none_or(|before| before >= head);
    let before = before.unwrap_or(head).min(head);
    let wanted = Wanted {
        floor: 0,
        before,
        rows: ROWS,
        is_filtered: !wish.filter.is_unlimited(),
    };
    let store = app.store.with_filter(wish.filter.clone());
    let newest = app.read(newest(&store, wanted)).await.map_err(refuse)?;
    let seen = Seen {
        head,
        before,
        newest,
    };
    let content = html! {
        h1 { "Log" }
        p.lead { "All changesets of all streams, the newest first." }
        (form(&wish))
        (rows(&asked, &wish, &seen, is_live))
    };
    let mut frame = Frame::new("Log", &asked, Section::Log);
    if head == 0 {
        frame.refresh = Some(2);
    }
    Ok(framed(
        &frame,
        &content,
        Some(&behind(&asked, &wish, &seen)),
    ))
}

/// Leads to the page around a time.
async fn to_time(app: &App, wish: &Wish<'_>, head: u64, time: &str) -> Result<Response, Fault> {
    let at = parse(time).ok_or_else(|| {
        Fault::Wrong(format!(
            "`{time}` is no time: expected one as 2026-01-31 13:15, in UTC"
        ))
    })?;
    let found = app.read(position_at(&app.store, head, at)).await?;
    // The time is in the middle of the page, so that one sees what came before and after it.
    let before = (found + 13).min(head.max(1)).to_string();
    let path = query(&wish.fields(Some(("before", &before))));
    Ok(Redirect::to(&format!("/console/log{path}#c{found}")).into_response())
}

fn form(wish: &Wish) -> Markup {
    html! {
        form.filters method="get" action="/console/log" {
            label { "Stream prefix" input type="text" name="prefix" value=[wish.prefix] placeholder="order-" spellcheck="false" autocapitalize="off"; }
            label { "Event type" input type="text" name="type" value=[wish.event_type] placeholder="paid" spellcheck="false" autocapitalize="off"; }
            label { "Before checkpoint" input type="number" name="before" min="0" inputmode="numeric"; }
            label { "Around (UTC)" input type="datetime-local" name="at" step="1"; }
            button type="submit" { "Show" }
            @if wish.prefix.is_some() || wish.event_type.is_some() { a href="/console/log" { "All" } }
        }
    }
}

fn rows(asked: &Asked, wish: &Wish, seen: &Seen, is_live: bool) -> Markup {
    let Newest {
        changesets,
        from,
        looked_at,
    } = &seen.newest;
    let now = Timestamp::now();
    let fields = wish.fields(None);
    let tail = format!("/console/tail{}", query(&fields));
    html! {
        @if seen.head == 0 {
            (first_steps::commit_one(asked))
        } @else {
            @if is_live { p.live-state #live-state { "Reload to see what is committed meanwhile." } }
            @else { p { a href=(format!("/console/log{}", query(&fields))) { "Back to the newest" } } }
            @let tail = is_live.then_some(tail);
            ol.rows #rows data-tail=[tail] data-after=(seen.before) { @for found in changesets { (row(found, now)) } }
            @if changesets.is_empty() { p.empty #nothing { "Nothing found in the " (amount(*looked_at)) " changesets that this page looked at." } }
            @if first_steps::is_beginning(seen.head) && wish.filter.is_unlimited() {
                @if let Some(newest) = changesets.first() { (first_steps::commit_next(asked, newest)) }
            }
            (older(wish, changesets.len(), *from, *looked_at))
        }
    }
}

/// The way to older changesets. With a filter it says how far the page has looked.
fn older(wish: &Wish, rows: usize, from: u64, looked_at: u64) -> Markup {
    let before = from.to_string();
    let path = query(&wish.fields(Some(("before", &before))));
    html! {
        nav.pages aria-label="Further changesets" {
            @if from > 0 { a rel="next" href=(format!("/console/log{path}")) { @if rows < ROWS { "Look further back" } @else { "Older" } } }
            @else { span.quiet { "This is the beginning of the store." } }
            @if !wish.filter.is_unlimited() {
                span.quiet { "Looked at " (amount(looked_at)) " changesets, back to checkpoint " (amount(from)) "." }
            }
        }
    }
}

fn behind(asked: &Asked, wish: &Wish, seen: &Seen) -> Markup {
    let mut path = format!("/changesets?direction=backward&limit={ROWS}&details=true");
    let before = (seen.before < seen.head).then(|| format!("&checkpoint={}", seen.before));
    path.extend(before);
    let prefixes = wish.filter.stream_prefixes().iter();
    path.extend(prefixes.map(|prefix| format!("&stream_prefix={}", encoded(prefix))));
    let types = wish.filter.event_types().iter();
    path.extend(types.map(|of| format!("&event_type={}", encoded(of))));
    let curl = Curl {
        path: &path,
        ..Curl::default()
    };
    command(&curl.text(asked))
}
