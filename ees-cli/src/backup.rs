//! `ees backup`.

use ees_storage::Adapter;

use crate::Failure;
use crate::args::BackupArgs;

/// Copies a store into a new file.
///
/// # Errors
/// [`Failure`] if the storage has no such file, or it could not be copied.
#[cfg_attr(not(feature = "sqlite"), allow(clippy::unused_async))]
pub async fn run(args: &BackupArgs) -> Result<(), Failure> {
    match Adapter::of(&args.storage.url).map_err(Failure::of_storage)? {
        #[cfg(feature = "sqlite")]
        Adapter::Sqlite => sqlite(args).await,
        Adapter::Memory => Err(Failure::Usage(
            "a store in memory cannot be copied: it exists only in its server's process".to_owned(),
        )),
        Adapter::Postgres => Err(Failure::Usage(
            "`ees backup` does not copy a store in PostgreSQL; use `pg_dump --schema=ees \
             --format=custom --file=FILE DATABASE`, or a base backup"
                .to_owned(),
        )),
        Adapter::Dynamodb => Err(Failure::Usage(
            "`ees backup` does not copy a store in DynamoDB; turn on point-in-time recovery of \
             both tables"
                .to_owned(),
        )),
        adapter => Err(Failure::Usage(format!(
            "this build of ees cannot copy `{}:`",
            adapter.scheme()
        ))),
    }
}

#[cfg(feature = "sqlite")]
async fn sqlite(args: &BackupArgs) -> Result<(), Failure> {
    use ees_sqlite::{BackupError, SqliteConfig};

    let config = args.storage.url.parse();
    let config: SqliteConfig =
        config.map_err(|error| Failure::wrong_storage(&args.storage.url, error))?;
    let store = config.path;
    eprintln!("copying {} to {} ...", store.display(), args.file.display());
    let backup = ees_sqlite::backup(&store, &args.file).await;
    let backup = backup.map_err(|error| match error {
        BackupError::Source(_) => Failure::Storage(error.to_string()),
        _ => Failure::Run(error.to_string()),
    })?;
    println!(
        "{}: {} changesets, {} bytes, checked",
        args.file.display(),
        backup.changesets,
        backup.bytes
    );
    Ok(())
}
