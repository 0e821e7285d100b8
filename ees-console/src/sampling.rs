//! Takes the samples of the history.

use std::time::{Duration, Instant};

use crate::app::App;
use crate::history::{EVERY, Totals};
use crate::view::metrics_text::sum;

/// How many consumers are measured with one sample: each costs a few reads. Where there are more, they
/// are measured in turn.
const AT_ONCE: usize = 16;

/// The longest time that the storage may take for the consumers of a sample.
const PATIENCE: Duration = Duration::from_secs(5);

/// Takes samples until the console closes.
pub(crate) async fn sample(app: App) {
    let closing = app.settings.closing.clone();
    let mut turn = 0;
    loop {
        let now = Instant::now();
        if let Some(text) = &app.settings.metrics {
            app.history.add(now, totals(&text.write()));
        }
        // A storage that fails is shown by the pages, and leaves a gap in the plots.
        let _ = tokio::time::timeout(PATIENCE, consumers(&app, now, &mut turn)).await;
        let pause = tokio::time::sleep(EVERY);
        if closing.run_until_cancelled(pause).await.is_none() {
            return;
        }
    }
}

/// What the metrics say.
pub(crate) fn totals(text: &str) -> Totals {
    Totals {
        commits: sum(text, "ees_commits_total", "outcome=\"committed\""),
        reads: sum(text, "ees_read_duration_seconds_count", ""),
        errors: sum(text, "ees_http_requests_total", "status=\"5")
            + sum(text, "ees_storage_errors_total", ""),
    }
}

/// Measures the consumers whose turn it is.
async fn consumers(app: &App, now: Instant, turn: &mut usize) -> Option<()> {
    let consumers = app.store.consumers().ok()?;
    let names = consumers.names().await.ok()?;
    app.history.keep_only(&names);
    if *turn >= names.len() {
        *turn = 0;
    }
    let asked: Vec<_> = names.iter().skip(*turn).take(AT_ONCE).collect();
    *turn += asked.len();
    for name in asked {
        if let Ok(parsed) = name.parse()
            && let Ok(report) = consumers.report(&parsed).await
        {
            app.history.add_lag(now, name, report.lag.as_secs_f64());
        }
    }
    Some(())
}
