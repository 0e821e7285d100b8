//! `ees admin`.

#[cfg(feature = "dynamodb")]
mod dynamodb;
mod new_store_id;
mod told;

use ees_storage::Adapter;

use crate::Failure;
use crate::args::{AdminAct, AdminArgs};

/// Runs a task of an operator.
///
/// # Errors
/// [`Failure`] if the storage has no such task, or the task failed.
pub async fn run(args: &AdminArgs) -> Result<(), Failure> {
    let storage = &args.storage;
    let adapter = Adapter::of(storage).map_err(Failure::of_storage)?;
    let told = match (adapter, args.act) {
        (_, AdminAct::NewStoreId) => new_store_id::make(storage).await,
        #[cfg(feature = "dynamodb")]
        (Adapter::Dynamodb, act) => dynamodb::run(storage, act).await,
        (adapter, _) => {
            let scheme = adapter.scheme();
            Err(Failure::Usage(format!(
                "this task is for DynamoDB: `--storage dynamodb://TABLE`. `{scheme}:` needs no other \
                 task than `new-store-id`: `ees serve` creates what is missing, and every commit gives \
                 the changeset its position"
            )))
        }
    }?;
    told.print(args.json);
    Ok(())
}
