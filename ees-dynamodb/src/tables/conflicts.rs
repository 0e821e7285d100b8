//! Writes of one item that meet a transaction.

use aws_sdk_dynamodb::config::interceptors::InterceptorContext;
use aws_sdk_dynamodb::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;

/// Lets the SDK retry a write of one item that met a transaction on this item. DynamoDB refuses such
/// a write with `TransactionConflictException`. The SDK does not retry it by itself.
#[derive(Debug)]
pub(super) struct RetryConflicts;

impl ClassifyRetry for RetryConflicts {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let answer = context.output_or_error().and_then(Result::err);
        let Some(error) = answer.and_then(|error| error.as_operation_error()) else {
            return RetryAction::NoActionIndicated;
        };
        let put = error.downcast_ref::<PutItemError>();
        let update = error.downcast_ref::<UpdateItemError>();
        let delete = error.downcast_ref::<DeleteItemError>();
        let met = put.is_some_and(PutItemError::is_transaction_conflict_exception)
            || update.is_some_and(UpdateItemError::is_transaction_conflict_exception)
            || delete.is_some_and(DeleteItemError::is_transaction_conflict_exception);
        if met {
            RetryAction::transient_error()
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "ees-conflicts"
    }
}
