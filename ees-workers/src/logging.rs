//! Log messages that several workers share.

use ees_core::indexer::Report;

/// Logs the changesets that cannot have a position.
pub(crate) fn log_refused(report: &Report) {
    for refused in &report.refused {
        tracing::error!("{refused}");
    }
}
