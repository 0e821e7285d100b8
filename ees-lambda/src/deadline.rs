//! How much time an invocation has.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_runtime::Context;
use tokio::time::Instant;

/// What is kept back to answer in, and for clocks that differ.
const RESERVE: Duration = Duration::from_millis(500);

/// When work has to stop, a moment before Lambda kills the process.
pub(crate) fn deadline(context: &Context) -> Instant {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let left = Duration::from_millis(context.deadline).saturating_sub(now.unwrap_or_default());
    Instant::now() + left.saturating_sub(RESERVE)
}
