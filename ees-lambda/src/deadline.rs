//! The deadline of an invocation.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_runtime::Context;
use tokio::time::Instant;

/// The time that is reserved for the answer and for differences between clocks.
const RESERVE: Duration = Duration::from_millis(500);

/// The time at which work must stop, shortly before Lambda kills the process.
pub(crate) fn deadline(context: &Context) -> Instant {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let left = Duration::from_millis(context.deadline).saturating_sub(now.unwrap_or_default());
    Instant::now() + left.saturating_sub(RESERVE)
}
