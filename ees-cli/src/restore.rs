//! `ees restore`.

use ees_storage::Adapter;

use crate::Failure;
use crate::args::RestoreArgs;

/// Puts a copy in place of a store.
///
/// # Errors
/// [`Failure`] if the storage has no such file, or the copy could not be put in its place.
#[cfg_attr(not(feature = "sqlite"), allow(clippy::unused_async))]
pub async fn run(args: &RestoreArgs) -> Result<(), Failure> {
    match Adapter::of(&args.storage.url).map_err(Failure::of_storage)? {
        #[cfg(feature = "sqlite")]
        Adapter::Sqlite => sqlite(args).await,
        Adapter::Memory => Err(Failure::Usage(
            "a store in memory cannot be restored: it exists only in its server's process"
                .to_owned(),
        )),
        Adapter::Postgres => Err(Failure::Usage(
            "`ees restore` does not restore a store in PostgreSQL; use `pg_restore` into a database \
             that no server uses, and then `ees admin new-store-id`"
                .to_owned(),
        )),
        Adapter::Dynamodb => Err(Failure::Usage(
            "`ees restore` does not restore a store in DynamoDB; restore both tables to one point in \
             time. The store gets a new id when it is opened"
                .to_owned(),
        )),
        adapter => Err(Failure::Usage(format!(
            "this build of ees cannot restore `{}:`",
            adapter.scheme()
        ))),
    }
}

#[cfg(feature = "sqlite")]
async fn sqlite(args: &RestoreArgs) -> Result<(), Failure> {
    use ees_sqlite::{RestoreError, SqliteConfig};

    let config = args.storage.url.parse();
    let config: SqliteConfig =
        config.map_err(|error| Failure::wrong_storage(&args.storage.url, error))?;
    let store = config.path;
    let restored = ees_sqlite::restore(&args.file, &store).await;
    let restored = restored.map_err(|error| match error {
        RestoreError::Store(_) | RestoreError::Copy(_) => Failure::Storage(error.to_string()),
        _ => Failure::Run(error.to_string()),
    })?;
    let head = restored.head;
    println!(
        "{}: restored from {}: {head} changesets, store {}",
        store.display(),
        args.file.display(),
        restored.identity.id
    );
    println!(
        "readers that are beyond checkpoint {head} go back to {head}; those that send `store=` are \
         told so"
    );
    if let Some(replaced) = restored.replaced {
        let size = replaced.head.map_or_else(
            || "which could not be read".to_owned(),
            |head| format!("with {head} changesets"),
        );
        println!("the replaced store, {size}: {}", replaced.path.display());
        for (subscription, checkpoint) in replaced.ahead {
            println!("ahead: subscription `{subscription}` was at checkpoint {checkpoint}");
        }
    }
    Ok(())
}
