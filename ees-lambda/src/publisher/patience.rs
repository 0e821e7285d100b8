//! Publishing until everything is sent: while the messaging service is away, messages wait in their
//! order.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::Publishing;
use super::attempt::Attempt;
use crate::Failure;
use crate::batch::Record;

/// The pause before the first repetition. It doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The time that is left at the end of an invocation to set a record aside.
const LAST: Duration = Duration::from_secs(10);

impl Publishing {
    /// Publishes a batch, as often as it takes until the deadline. What the messaging service cannot
    /// take now waits, and so do the later messages of its stream. A record that can never be
    /// published is set aside, and the later messages of its stream go on.
    ///
    /// Returns the indexes of the records that are left. Lambda must deliver again all records from
    /// the first of them on.
    pub(super) async fn insist(
        &self,
        records: &[Record],
        deadline: Instant,
        set_aside: impl AsyncFn(usize) -> Result<(), Failure>,
    ) -> BTreeSet<usize> {
        let mut attempt = Attempt::new(Arc::clone(&self.publisher), records);
        let mut waited = false;
        let until = deadline.checked_sub(LAST).unwrap_or(deadline);
        let work = repeat(&mut attempt, &mut waited, &set_aside);
        if timeout_at(until, work).await.is_err() {
            tracing::warn!("the time of the invocation is used up; the rest is delivered again");
            // The first record had all the time, and nothing failed: it would take it up each time.
            if !waited && attempt.unpublished().first() == Some(&0) {
                tracing::error!("the messages of a changeset take longer than one invocation");
                attempt.take(0);
                let _ = timeout_at(deadline, put_aside(&mut attempt, &set_aside)).await;
            }
        }
        let unpublished = attempt.unpublished();
        self.tell(records, unpublished.len());
        unpublished
    }
}

/// Publishes until nothing is left. `waited` becomes true if something had to wait.
async fn repeat(
    attempt: &mut Attempt,
    waited: &mut bool,
    set_aside: &impl AsyncFn(usize) -> Result<(), Failure>,
) {
    let mut pause = FIRST_PAUSE;
    loop {
        attempt.publication.run().await;
        attempt.log();
        let more = attempt.take_refused();
        put_aside(attempt, set_aside).await;
        if attempt.unpublished().is_empty() {
            return;
        }
        if !more {
            *waited = true;
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// Sets the refused records aside; those that could not be set aside remain among the refused.
async fn put_aside(attempt: &mut Attempt, set_aside: &impl AsyncFn(usize) -> Result<(), Failure>) {
    for place in attempt.refused.clone() {
        match set_aside(place).await {
            Ok(()) => attempt.refused.remove(&place),
            Err(error) => return tracing::error!(%error, "a record cannot be set aside yet"),
        };
    }
}

#[cfg(test)]
mod tests;
