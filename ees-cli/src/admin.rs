//! `ees admin`.

#[cfg(feature = "dynamodb")]
mod dynamodb;

use crate::Failure;
use crate::args::AdminArgs;
use crate::storage::scheme;

/// Does what an operator asked for.
///
/// # Errors
/// [`Failure`] if the storage has no such act, or it could not be done.
#[cfg_attr(not(feature = "dynamodb"), allow(clippy::unused_async))]
pub async fn run(args: &AdminArgs) -> Result<(), Failure> {
    let storage = &args.storage;
    match scheme(storage) {
        #[cfg(feature = "dynamodb")]
        "dynamodb" => dynamodb::run(storage, args).await,
        kept @ ("memory" | "postgres" | "sqlite") => Err(Failure::Usage(format!(
            "`{kept}:` needs no administration: `ees serve` makes what is missing, and every \
             commit gives the changeset its place. For others name the store: \
             `--storage dynamodb://TABLE`"
        ))),
        _ => Err(crate::storage::unknown(storage)),
    }
}
