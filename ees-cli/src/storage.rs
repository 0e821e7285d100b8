//! Chooses the adapter by the storage's URL.

use std::sync::Arc;

use ees_core::EventStore;
use ees_core::ports::{StatisticsStore, Storage};

use crate::Failure;

/// A store that is open.
#[derive(Clone)]
pub struct OpenStore {
    /// The use cases over it.
    pub store: EventStore,
    /// What to close in the end.
    pub storage: Arc<dyn Storage>,
}

impl OpenStore {
    /// The use cases over an adapter.
    #[cfg_attr(not(any(feature = "memory", feature = "sqlite")), allow(dead_code))]
    fn over<S: Storage + StatisticsStore>(adapter: S) -> Self {
        let adapter = Arc::new(adapter);
        Self {
            store: EventStore::new(Arc::clone(&adapter)),
            storage: adapter,
        }
    }
}

/// Opens the storage that a URL names.
///
/// # Errors
/// [`Failure::Usage`] if the URL names none that this build knows, [`Failure::Storage`] if it
/// cannot be opened.
pub async fn open(url: &str) -> Result<OpenStore, Failure> {
    match scheme(url) {
        "memory" => memory(url),
        "sqlite" => sqlite(url).await,
        _ => Err(unknown(url)),
    }
}

/// The part before the first colon.
pub(crate) fn scheme(url: &str) -> &str {
    url.split_once(':').map_or("", |(scheme, _)| scheme)
}

pub(crate) fn unknown(url: &str) -> Failure {
    Failure::Usage(format!(
        "`--storage {url}` names no storage; known are `sqlite:PATH` and `memory:`"
    ))
}

#[cfg(feature = "memory")]
fn memory(url: &str) -> Result<OpenStore, Failure> {
    match url {
        "memory:" => Ok(OpenStore::over(ees_memory::MemoryStorage::new())),
        _ => Err(Failure::Usage(format!(
            "`--storage {url}`: expected `memory:` and nothing more"
        ))),
    }
}

#[cfg(not(feature = "memory"))]
fn memory(_: &str) -> Result<OpenStore, Failure> {
    Err(left_out("memory"))
}

#[cfg(feature = "sqlite")]
async fn sqlite(url: &str) -> Result<OpenStore, Failure> {
    let opened = ees_sqlite::SqliteStorage::open(&sqlite_config(url)?).await;
    let storage = opened.map_err(|error| Failure::Storage(error.to_string()))?;
    Ok(OpenStore::over(storage))
}

#[cfg(not(feature = "sqlite"))]
async fn sqlite(_: &str) -> Result<OpenStore, Failure> {
    Err(left_out("sqlite"))
}

#[cfg(feature = "sqlite")]
pub(crate) fn sqlite_config(url: &str) -> Result<ees_sqlite::SqliteConfig, Failure> {
    let config = url.parse();
    config.map_err(|error| Failure::Usage(format!("`--storage {url}`: {error}")))
}

/// What a build without an adapter says.
#[cfg_attr(all(feature = "memory", feature = "sqlite"), allow(dead_code))]
pub(crate) fn left_out(feature: &str) -> Failure {
    Failure::Usage(format!(
        "this build of ees leaves `{feature}:` out; build it with `--features {feature}`"
    ))
}
