//! Chooses the adapter by the storage's URL.

use std::sync::Arc;

use ees_core::EventStore;
use ees_core::ports::{StatisticsStore, Storage};

use crate::Failure;

/// The schemes of all adapters, and the features that they are in.
const ADAPTERS: [&str; 2] = ["memory", "sqlite"];

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
#[cfg_attr(not(feature = "sqlite"), allow(clippy::unused_async))]
pub async fn open(url: &str) -> Result<OpenStore, Failure> {
    match scheme(url) {
        #[cfg(feature = "memory")]
        "memory" => memory(url),
        #[cfg(feature = "sqlite")]
        "sqlite" => sqlite(url).await,
        _ => Err(unknown(url)),
    }
}

/// The part before the first colon.
pub(crate) fn scheme(url: &str) -> &str {
    url.split_once(':').map_or("", |(scheme, _)| scheme)
}

/// What is said of a URL that no adapter in this build takes.
pub(crate) fn unknown(url: &str) -> Failure {
    let scheme = scheme(url);
    Failure::Usage(if ADAPTERS.contains(&scheme) {
        format!("this build of ees leaves `{scheme}:` out; build it with `--features {scheme}`")
    } else {
        format!("`--storage {url}` names no storage; known are `sqlite:PATH` and `memory:`")
    })
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

#[cfg(feature = "sqlite")]
async fn sqlite(url: &str) -> Result<OpenStore, Failure> {
    let opened = ees_sqlite::SqliteStorage::open(&sqlite_config(url)?).await;
    let storage = opened.map_err(|error| Failure::Storage(error.to_string()))?;
    Ok(OpenStore::over(storage))
}

#[cfg(feature = "sqlite")]
pub(crate) fn sqlite_config(url: &str) -> Result<ees_sqlite::SqliteConfig, Failure> {
    let config = url.parse();
    config.map_err(|error| Failure::Usage(format!("`--storage {url}`: {error}")))
}
