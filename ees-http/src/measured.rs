//! Everything that is measured, at one moment: by the recorder, in the gate, and in the store.

use std::fmt;
use std::time::Duration;

use ees_core::Error;
use ees_evidence::{Log, LogError};

use crate::app::App;
use crate::measure::set;

/// The longest time that is waited for the storage: a metric that it does not tell in time is as it
/// was.
const STORAGE_WITHIN: Duration = Duration::from_secs(2);

/// What `/metrics` of a server answers.
#[derive(Clone)]
pub struct Measured(App);

impl Measured {
    pub(crate) fn new(app: App) -> Self {
        Self(app)
    }

    /// The metrics as Prometheus text. `None` if [`Options::metrics`](crate::Options::metrics) is `None`.
    pub async fn text(&self) -> Option<String> {
        let Self(app) = self;
        let recorded = app.options.metrics.as_ref()?;
        app.gate.measure();
        let _ = tokio::time::timeout(STORAGE_WITHIN, measure_store(app)).await;
        let mut text = recorded.write();
        app.consumer_metrics.write(&mut text);
        Some(text)
    }
}

impl fmt::Debug for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Measured")
    }
}

/// Measures how far the log is behind a head of the store, once anything is sealed.
async fn measure_log(app: &App, head: u64) -> Result<(), LogError> {
    let Some(log) = Log::of(&app.store) else {
        return Ok(());
    };
    if let Some(sealed) = log.head().await? {
        set("ees_log_size", sealed.size);
        set("ees_log_lag", head.saturating_sub(sealed.size));
    }
    Ok(())
}

/// Measures how far the store is, and its statistics and consumers behind it.
async fn measure_store(app: &App) -> Result<(), Error> {
    let head = app.store.next_checkpoint().await?.get();
    set("ees_head_checkpoint", head);
    // Damage of the log shall not hide what else there is to measure.
    let _ = measure_log(app, head).await;
    let counted = app.store.statistics().await?.version.get();
    set("ees_statistics_lag", head.saturating_sub(counted));
    match app.store.consumers() {
        Ok(consumers) => app.consumer_metrics.measure(&consumers).await,
        // The storage keeps none.
        Err(_) => Ok(()),
    }
}
