//! What workers log in the same words.

use ees_core::indexer::Report;

/// Logs what can have no position.
pub(crate) fn log_refused(report: &Report) {
    for refused in &report.refused {
        tracing::error!("{refused}");
    }
}
