//! Commands that need a store that is there already.

use ees_storage::Adapter;

use crate::Failure;

/// Refuses a store that does not outlive its process, and a file that would only now be made.
#[cfg_attr(not(feature = "sqlite"), allow(unused_variables))] // only a file is looked for
pub(crate) fn check_exists(storage: &str) -> Result<(), Failure> {
    match Adapter::of(storage).map_err(Failure::of_storage)? {
        Adapter::Memory => Err(Failure::Usage(
            "a store in memory exists only in its server's process, and gets a new id at each start"
                .to_owned(),
        )),
        #[cfg(feature = "sqlite")]
        Adapter::Sqlite => check_file(storage),
        _ => Ok(()),
    }
}

#[cfg(feature = "sqlite")]
fn check_file(storage: &str) -> Result<(), Failure> {
    let config: Result<ees_sqlite::SqliteConfig, _> = storage.parse();
    let config = config.map_err(|error| Failure::wrong_storage(storage, error))?;
    if config.path.exists() {
        return Ok(());
    }
    let missing = ees_sqlite::OpenError::Missing(config.path);
    Err(Failure::Storage(missing.to_string()))
}
