//! `ees admin`.

#[cfg(feature = "dynamodb")]
mod dynamodb;
mod fence;
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
    let storage = &args.storage.url;
    let adapter = Adapter::of(storage).map_err(Failure::of_storage)?;
    let told = match (adapter, &args.act) {
        (_, AdminAct::NewStoreId) => new_store_id::make(storage).await,
        (_, AdminAct::Fence { address }) => fence::raise(storage, address).await,
        (_, AdminAct::LiftFence) => fence::lift(storage).await,
        #[cfg(feature = "dynamodb")]
        (Adapter::Dynamodb, act) => dynamodb::run(storage, act.clone()).await,
        (adapter, _) => {
            let scheme = adapter.scheme();
            Err(Failure::Usage(format!(
                "this task is for DynamoDB: `--storage dynamodb://TABLE`. `{scheme}:` needs no other \
                 tasks than `new-store-id` and those of the fence: `ees serve` creates what is missing, and every commit gives \
                 the changeset its position"
            )))
        }
    }?;
    told.print(args.json);
    Ok(())
}
