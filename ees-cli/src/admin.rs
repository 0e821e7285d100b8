//! `ees admin`.

#[cfg(feature = "dynamodb")]
mod dynamodb;

use ees_storage::Adapter;

use crate::Failure;
use crate::args::AdminArgs;

/// Runs a task of an operator.
///
/// # Errors
/// [`Failure`] if the storage has no such task, or the task failed.
#[cfg_attr(not(feature = "dynamodb"), allow(clippy::unused_async))]
pub async fn run(args: &AdminArgs) -> Result<(), Failure> {
    let storage = &args.storage;
    match Adapter::of(storage).map_err(Failure::of_storage)? {
        #[cfg(feature = "dynamodb")]
        Adapter::Dynamodb => dynamodb::run(storage, args).await,
        adapter => {
            let scheme = adapter.scheme();
            Err(Failure::Usage(format!(
                "`{scheme}:` needs no administration: `ees serve` creates what is missing, and every \
                 commit gives the changeset its position. `ees admin` is for DynamoDB: \
                 `--storage dynamodb://TABLE`"
            )))
        }
    }
}
