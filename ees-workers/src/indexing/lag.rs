//! How far the order is behind the commits, as metrics.

use ees_core::Timestamp;
use tokio::time::Instant;

/// Why readers of the global order wait for changesets that were committed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reason {
    /// The commits cannot be read from the feed.
    Feed,
    /// Positions cannot be assigned.
    Storage,
    /// The feed may have lost commits, and a sweep looks for them.
    Gap,
}

const REASONS: [(Reason, &str); 3] = [
    (Reason::Feed, "feed"),
    (Reason::Storage, "storage"),
    (Reason::Gap, "gap"),
];

/// Measures the lag of the order.
#[derive(Debug, Default)]
pub(super) struct Lag {
    /// When the oldest delivered commit without a position was committed.
    oldest: Option<Timestamp>,
    /// Since when each reason holds.
    since: [Option<Instant>; 3],
}

impl Lag {
    /// Commits were delivered, which have no position yet.
    pub(super) fn delivered(&mut self, oldest: Option<Timestamp>) {
        self.oldest = oldest;
        self.measure_age();
    }

    /// All delivered commits have their positions. The lag stays that of the last ones until the feed
    /// delivers something else.
    pub(super) fn caught_up(&mut self) {
        self.measure_age();
        self.oldest = None;
    }

    /// Whether a reason holds now.
    pub(super) fn held(&mut self, reason: Reason, is_held: bool) {
        let since = &mut self.since[reason as usize];
        *since = is_held.then(|| since.unwrap_or_else(Instant::now));
        for (reason, name) in REASONS {
            let since = self.since[reason as usize];
            let held = since.map_or(0.0, |since| since.elapsed().as_secs_f64());
            metrics::gauge!("ees_index_held_seconds", "reason" => name).set(held);
        }
        if self.oldest.is_some() {
            self.measure_age();
        }
    }

    #[allow(clippy::cast_precision_loss)] // metrics are floating-point numbers
    fn measure_age(&self) {
        let micros = self.oldest.map_or(0, |oldest| {
            let age = Timestamp::now().as_micros() - oldest.as_micros();
            age.max(0)
        });
        metrics::gauge!("ees_index_lag_seconds").set(micros as f64 / 1e6);
    }
}
