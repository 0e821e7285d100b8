//! What was committed since a page of the log was made.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderName, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use ees_core::{PageLimit, Timestamp};
use maud::html;

use super::log::{ROWS, Wish};
use crate::app::App;
use crate::asked::Asked;
use crate::fault::Fault;
use crate::newest::{Newest, Wanted, newest, position};
use crate::view::row;

/// How long an answer waits for something to be committed.
const WAIT: Duration = Duration::from_secs(15);

/// The position from which the next call goes on.
const NEXT: HeaderName = HeaderName::from_static("ees-next");

/// How many changesets were passed over, because more came than a page shows.
const PASSED: HeaderName = HeaderName::from_static("ees-passed");

/// One item, whatever its size.
const ONE: PageLimit = PageLimit { items: 1, bytes: 1 };

/// Waits until something is committed from `after` on, and answers with its rows, the newest first.
pub(crate) async fn tail(State(app): State<App>, asked: Asked) -> Response {
    let closing = app.settings.closing.clone();
    let rows = closing.run_until_cancelled(rows(&app, &asked)).await;
    match rows {
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Some(Ok(response)) => response,
        Some(Err(fault)) => (fault.status(), fault.message().to_owned()).into_response(),
    }
}

async fn rows(app: &App, asked: &Asked) -> Result<Response, Fault> {
    let _place = app.tail()?;
    let wish = Wish::of(asked)?;
    let after = asked.fields.number("after").map_err(Fault::Wrong)?;
    let after = after.unwrap_or_default();
    let is_filtered = !wish.filter.is_unlimited();
    let store = app.store.with_filter(wish.filter);
    let page = store.await_changesets(position(after), ONE, WAIT).await;
    let page = page.map_err(Fault::from)?;
    if page.changesets.is_empty() {
        return Ok(answer(page.next.get(), 0, String::new()));
    }
    let _turn = app.turn().await?;
    let head = app.read(app.store.next_checkpoint()).await?.get();
    let wanted = Wanted {
        floor: after,
        before: head,
        rows: ROWS,
        is_filtered,
    };
    let Newest {
        changesets, from, ..
    } = app.read(newest(&store, wanted)).await?;
    let now = Timestamp::now();
    let rows = html! { @for found in &changesets { (row(found, now)) } };
    Ok(answer(head, from.saturating_sub(after), rows.into_string()))
}

fn answer(next: u64, passed: u64, rows: String) -> Response {
    let headers = [(NEXT, next.to_string()), (PASSED, passed.to_string())];
    (headers, Html(rows)).into_response()
}
