//! Appends changesets to several streams with one transaction.
//!
//! The transaction puts each changeset, if there is none with its id; and the marker of each client's
//! key, if it is as it was read ([`client_keys`](crate::client_keys)). A check is the condition that
//! no changeset follows the one that it expects. That one was read, and changesets are never removed.
//! So all expectations hold at the time of the transaction (G2).

mod look;
mod plan;

use std::collections::HashSet;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsOutput;
use ees_core::adapter::{CommitSet, SetOutcome, SetRefusal};
use ees_core::{Changeset, Receipt, StorageError, Written};

use crate::DynamoStorage;
use crate::attempts::Attempts;
use crate::client_keys::MAX_ROUNDS;
use crate::commit::is_full;
use crate::items::{self, STREAM_ID};
use crate::tables::{SIZE_LIMIT, Transacted, UNMET};
use plan::Plan;

/// What is known of a set.
enum Judged {
    /// Everything holds.
    Append(Plan),
    Refused(SetRefusal),
    /// Judge again: a marker changed while the set was judged.
    Again,
}

impl DynamoStorage {
    /// Appends the changesets of a set if all expectations hold. As for a single commit, a cached
    /// head saves a read, and the conditions of the write decide. What they refuse is judged again by
    /// reads, which find everything that does not hold.
    pub(crate) async fn append_set(&self, set: &CommitSet) -> Result<SetOutcome, StorageError> {
        if let ([commit], []) = (&set.commits[..], &set.checks[..]) {
            return self.append(commit).await.map(SetOutcome::from);
        }
        let attempts = Attempts::default();
        let mut judged = self.judge_set(set).await?;
        for _ in 0..MAX_ROUNDS {
            match judged {
                Judged::Refused(refusal) => return Ok(SetOutcome::Refused(refusal)),
                Judged::Again => {}
                Judged::Append(plan) => {
                    if let Some(receipts) = self.write(&plan, &attempts).await? {
                        return Ok(SetOutcome::Committed(receipts));
                    }
                }
            }
            judged = self.look(set).await?;
        }
        let reason = "commits with one idempotency key compete";
        Err(StorageError::unavailable(reason, attempts.written()))
    }

    /// Writes a set. `None` if a condition does not hold, or a stream turned out to be full.
    async fn write(
        &self,
        plan: &Plan,
        attempts: &Attempts,
    ) -> Result<Option<Vec<Receipt>>, StorageError> {
        let actions = plan.actions(&self.tables)?;
        let reasons = match self.tables.transact(&actions, attempts).await? {
            Transacted::Done(done) => {
                let full = full_streams(&done);
                return Ok(Some(self.all_stand(plan, &full)));
            }
            Transacted::Refused(reasons) => reasons,
        };
        let was_lost = attempts.written() == Written::Unknown;
        // The changesets are the first actions.
        for (changeset, reason) in plan.changesets.iter().zip(&reasons) {
            match (reason.code(), reason.item()) {
                // An earlier attempt had succeeded, and its answer was lost. Without a lost answer it is a
                // repeat of this set that was made at the same moment.
                (Some(UNMET), Some(found))
                    if was_lost && items::changeset(found)? == *changeset =>
                {
                    return Ok(Some(self.all_stand(plan, &HashSet::new())));
                }
                (Some(SIZE_LIMIT), _) if was_lost => {
                    let full = format!("stream `{}` takes no more", changeset.stream_id);
                    return Err(StorageError::unavailable(full, Written::Unknown));
                }
                (Some(SIZE_LIMIT), _) => self.full_streams.learn(&changeset.stream_id),
                _ => {}
            }
        }
        Ok(None)
    }

    /// Learns from a set that was written. Returns its receipts.
    fn all_stand(&self, plan: &Plan, full: &HashSet<&str>) -> Vec<Receipt> {
        for changeset in &plan.changesets {
            let stream_id = &changeset.stream_id;
            if full.contains(stream_id.as_str()) {
                self.full_streams.learn(stream_id);
            }
            self.heads.learn(stream_id, changeset.head());
        }
        self.news.announce();
        plan.changesets.iter().map(Changeset::receipt).collect()
    }
}

/// The streams that are full after a transaction.
fn full_streams(done: &TransactWriteItemsOutput) -> HashSet<&str> {
    let measured = done.item_collection_metrics().into_iter().flatten();
    let full = measured
        .flat_map(|(_, measured)| measured)
        .filter(|measured| is_full(measured));
    let keys = full.filter_map(|measured| measured.item_collection_key()?.get(STREAM_ID));
    keys.filter_map(|key| key.as_s().ok().map(String::as_str))
        .collect()
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::ItemCollectionMetrics;

    use super::*;
    use crate::items::text;

    #[test]
    fn streams_that_reached_their_limit_are_learned() {
        let measured = |stream: &str, lower: f64| {
            ItemCollectionMetrics::builder()
                .item_collection_key(STREAM_ID, text(stream))
                .size_estimate_range_gb(lower)
                .size_estimate_range_gb(lower + 1.0)
                .build()
        };
        let streams = vec![measured("a", 7.0), measured("b", 8.0), measured("c", 0.0)];
        let done = TransactWriteItemsOutput::builder().item_collection_metrics("t", streams);
        assert_eq!(full_streams(&done.build()), HashSet::from(["b"]));
        let unmeasured = TransactWriteItemsOutput::builder().build();
        assert_eq!(full_streams(&unmeasured), HashSet::new());
    }
}
