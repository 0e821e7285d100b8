//! What the overview shows.

use ees_core::{Changeset, PageLimit, Statistics, Timestamp};
use ees_http::Right;

use crate::app::App;
use crate::asked::Asked;
use crate::fault::Fault;
use crate::newest::{Wanted, newest, position};
use crate::pages::consumers::{Reported, reports};
use crate::sealed::log;

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
    /// How many positions the verifiable log has.
    pub(super) sealed: Result<u64, Fault>,
    pub(super) uncounted: Option<Timestamp>,
    pub(super) unsealed: Option<Timestamp>,
    pub(super) metrics: Option<String>,
}

/// Reads all parts at once.
pub(super) async fn look(app: &App, asked: &Asked) -> Seen {
    let viewer = &asked.viewer;
    let store = &app.store;
    let head = app.read(store.next_checkpoint());
    let statistics = async {
        viewer.reads_all("the statistics count all")?;
        app.read(store.statistics()).await
    };
    let sealed = async {
        let head = app.read(log(app, viewer)?.head()).await?;
        Ok::<_, Fault>(head.map_or(0, |head| head.size))
    };
    let ready = app.read(store.check_ready());
    let consumers = reports(app, viewer, "");
    let (ready, head, statistics, sealed, consumers) =
        tokio::join!(ready, head, statistics, sealed, consumers);
    let head = head.map(ees_core::Checkpoint::get);
    let counted = statistics.as_ref().map(|counted| counted.version.get());
    let (uncounted, unsealed) = tokio::join!(
        first_after(app, &head, counted),
        first_after(app, &head, sealed.as_ref().copied()),
    );
    let metrics = app.settings.metrics.as_ref();
    let metrics = metrics.filter(|_| viewer.has(Right::Metrics));
    Seen {
        newest: newest_changesets(app, asked, &head).await,
        metrics: metrics.map(ees_http::MetricsText::write),
        ready,
        head,
        statistics,
        consumers,
        sealed,
        uncounted,
        unsealed,
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

/// When the first changeset was committed that work in the background has not done yet.
async fn first_after(
    app: &App,
    head: &Result<u64, Fault>,
    done: Result<u64, &Fault>,
) -> Option<Timestamp> {
    let (head, done) = (*head.as_ref().ok()?, done.ok()?);
    if done >= head {
        return None;
    }
    let page = app.store.poll_changesets(position(done), ONE);
    let page = app.read(page).await.ok()?;
    page.changesets.first().map(|first| first.timestamp)
}
