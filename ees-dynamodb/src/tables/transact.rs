//! Writes of several items in one transaction.

use std::sync::Arc;

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::transact_write_items::{
    TransactWriteItemsError, TransactWriteItemsOutput,
};
use aws_sdk_dynamodb::types::{
    CancellationReason, ConditionCheck, Put, ReturnItemCollectionMetrics,
    ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use ees_core::adapter::ChangesetKey;
use ees_core::{Changeset, StorageError, Written};

use super::batch::pause;
use super::guarded_swap::Guard;
use crate::attempts::Attempts;
use crate::error::translate;
use crate::items::{self, Item};
use crate::tables::Tables;

/// The condition that a changeset does not exist.
pub(crate) const NO_CHANGESET: &str = "attribute_not_exists(stream_id)";

/// The reason that a condition does not hold.
pub(crate) const UNMET: &str = "ConditionalCheckFailed";

/// The reason that a stream takes no more.
pub(crate) const SIZE_LIMIT: &str = "ItemCollectionSizeLimitExceeded";

/// How often a transaction is sent at most that meets another one or is throttled. The SDK does not
/// retry it. Its own retries, of other failures, are not counted here.
const TRIES: u32 = 5;

/// What DynamoDB made of a transaction.
#[derive(Debug)]
pub(crate) enum Transacted {
    /// All of it is written.
    Done(TransactWriteItemsOutput),
    /// Nothing is written: a condition does not hold, or a stream takes no more. There is one reason
    /// for each action, in their order.
    Refused(Vec<CancellationReason>),
}

/// Why a transaction was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    Refused,
    /// The same transaction may succeed later.
    Passing(&'static str),
    Other,
}

impl Tables {
    /// Sends a transaction, again if it met another one or was throttled. Each time it has another
    /// token, because DynamoDB does not say what it makes of the token of a cancelled transaction.
    pub(crate) async fn transact(
        &self,
        writes: &[TransactWriteItem],
        attempts: &Attempts,
    ) -> Result<Transacted, StorageError> {
        let mut tries = 1;
        loop {
            let write = self
                .client
                .transact_write_items()
                .set_transact_items(Some(writes.to_vec()))
                .return_item_collection_metrics(ReturnItemCollectionMetrics::Size);
            let sent = write.customize().interceptor(attempts.clone()).send().await;
            let error = match sent {
                Ok(done) => return Ok(Transacted::Done(done)),
                Err(error) => error,
            };
            let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
                error.as_service_error()
            else {
                return Err(translate("TransactWriteItems", &error, attempts.written()));
            };
            let reasons = cancelled.cancellation_reasons();
            match cause(reasons) {
                Cause::Refused => return Ok(Transacted::Refused(reasons.to_vec())),
                // After an attempt whose outcome is unknown, another token could write twice.
                Cause::Passing(_) if tries < TRIES && attempts.written() == Written::None => {
                    pause(tries).await?;
                    tries += 1;
                }
                Cause::Passing(what) => {
                    return Err(StorageError::unavailable(what, attempts.written()));
                }
                Cause::Other => {
                    return Err(translate("TransactWriteItems", &error, attempts.written()));
                }
            }
        }
    }

    /// A part of a transaction: writes a changeset if there is none with its id.
    pub(crate) fn put_changeset(
        &self,
        changeset: &Changeset,
    ) -> Result<TransactWriteItem, StorageError> {
        let put = Put::builder()
            .table_name(&self.config.events_table)
            .set_item(Some(items::item(changeset)))
            .condition_expression(NO_CHANGESET)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = put.build().map_err(backend)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// A part of a transaction: checks that there is no changeset with this id.
    pub(crate) fn check_absent(
        &self,
        key: &ChangesetKey,
    ) -> Result<TransactWriteItem, StorageError> {
        let check = ConditionCheck::builder()
            .table_name(&self.config.events_table)
            .set_key(Some(items::key(key)))
            .condition_expression(NO_CHANGESET);
        let check = check.build().map_err(backend)?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }

    /// A part of a transaction: replaces an item of the analysis table if the guard holds.
    pub(crate) fn put_guarded(
        &self,
        guard: Guard,
        item: Item,
    ) -> Result<TransactWriteItem, StorageError> {
        let (condition, value) = guard.condition();
        let mut put = Put::builder()
            .table_name(&self.config.analysis_table)
            .set_item(Some(item))
            .condition_expression(condition);
        if let Some((name, value)) = value {
            put = put
                .expression_attribute_names("#guarded", name)
                .expression_attribute_values(":previous", value);
        }
        let put = put.build().map_err(backend)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

/// A refusal counts before everything else: it does not pass.
fn cause(reasons: &[CancellationReason]) -> Cause {
    let has = |code| reasons.iter().any(|reason| reason.code() == Some(code));
    if has(UNMET) || has(SIZE_LIMIT) {
        return Cause::Refused;
    }
    if has("TransactionConflict") {
        return Cause::Passing("a transaction meets another write of the same item");
    }
    if has("ThrottlingError") || has("ProvisionedThroughputExceeded") {
        return Cause::Passing("DynamoDB throttles TransactWriteItems");
    }
    Cause::Other
}

fn backend(error: BuildError) -> StorageError {
    StorageError::Backend(Arc::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(codes: &[&str]) -> Cause {
        let reasons = codes.iter().map(|code| {
            let reason = CancellationReason::builder();
            match *code {
                "" => reason.build(),
                code => reason.code(code).build(),
            }
        });
        cause(&reasons.collect::<Vec<_>>())
    }

    #[test]
    fn a_condition_that_does_not_hold_is_a_refusal() {
        assert_eq!(of(&["None", "ConditionalCheckFailed"]), Cause::Refused);
        let both = of(&["TransactionConflict", "ConditionalCheckFailed"]);
        assert_eq!(both, Cause::Refused);
        let both = of(&["ItemCollectionSizeLimitExceeded", "ThrottlingError"]);
        assert_eq!(both, Cause::Refused);
    }

    #[test]
    fn what_passes_is_tried_again() {
        for code in [
            "TransactionConflict",
            "ThrottlingError",
            "ProvisionedThroughputExceeded",
        ] {
            assert!(
                matches!(of(&["", "None", code]), Cause::Passing(_)),
                "{code}"
            );
        }
    }

    #[test]
    fn everything_else_is_told() {
        for codes in [
            &["None", "ValidationError"][..],
            &["AccessDenied"],
            &[""],
            &[],
        ] {
            assert_eq!(of(codes), Cause::Other, "{codes:?}");
        }
    }
}
