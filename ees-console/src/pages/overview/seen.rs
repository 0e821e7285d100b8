//! What the overview shows.

use ees_core::{Changeset, PageLimit, Statistics, Timestamp};
use ees_http::Right;

use crate::app::App;
use crate::asked::Asked;
use crate::fault::Fault;
use crate::newest::{Wanted, newest, position};
use crate::pages::consumers::{Reported, reports};

/// One item, whatever its size.
const ONE: PageLimit = PageLimit { items: 1, bytes: 1 };

/// How many of the newest changesets it shows.
const ROWS: usize = 5;

/// What the page shows. Each part may fail alone, so that it tells what it can while the storage does
/// not answer.
pub(super) struct Seen {
    pub(super) ready: Result<(), Fault>,
    pub(super) head: Result<u64, Fault>,
    pub(super) statistics: Result<Statistics, Fault>,
    pub(super) newest: Result<Vec<Changeset>, Fault>,
    pub(super) consumers: Result<(Vec<Reported>, bool), Fault>,
    pub(super) uncounted: Option<Timestamp>,
    pub(super) metrics: Option<String>,
}

/// Reads all parts at once.
pub(super) async fn look(app: &App, asked: &Asked) -> Seen {
    let viewer = &asked.viewer;
    let (store, may_read) = (&app.store, viewer.needs(Right::Read));
    let head = app.read(store.next_checkpoint());
    let statistics = async {
        may_read.clone()?;
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
        (Ok(head), Ok(counted)) => uncounted(app, *head, counted.version.get()).await,
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

/// When the first changeset was committed that the statistics have not counted yet.
async fn uncounted(app: &App, head: u64, version: u64) -> Option<Timestamp> {
    if version >= head {
        return None;
    }
    let page = app.store.poll_changesets(position(version), ONE);
    let page = app.read(page).await.ok()?;
    page.changesets.first().map(|first| first.timestamp)
}
