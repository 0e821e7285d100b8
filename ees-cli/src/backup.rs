//! `ees backup`.

use crate::Failure;
use crate::args::BackupArgs;
use crate::storage::scheme;

/// Copies a store into a new file.
///
/// # Errors
/// [`Failure`] if the storage has no such file, or it could not be copied.
#[cfg_attr(not(feature = "sqlite"), allow(clippy::unused_async))]
pub async fn run(args: &BackupArgs) -> Result<(), Failure> {
    match scheme(&args.storage) {
        #[cfg(feature = "sqlite")]
        "sqlite" => sqlite(args).await,
        "memory" => Err(Failure::Usage(
            "a store in memory cannot be copied: it lives in its server's process alone".to_owned(),
        )),
        "postgres" => Err(Failure::Usage(
            "a store in PostgreSQL is copied by PostgreSQL's own means: `pg_dump --schema=ees \
             --format=custom --file=FILE DATABASE`, or a base backup"
                .to_owned(),
        )),
        "dynamodb" => Err(Failure::Usage(
            "a store in DynamoDB is copied by DynamoDB's own means: turn on point-in-time recovery \
             of both tables"
                .to_owned(),
        )),
        _ => Err(crate::storage::unknown(&args.storage)),
    }
}

#[cfg(feature = "sqlite")]
async fn sqlite(args: &BackupArgs) -> Result<(), Failure> {
    use ees_sqlite::BackupError;

    let store = crate::storage::sqlite_config(&args.storage)?.path;
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
