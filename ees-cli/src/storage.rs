//! Chooses the adapter by the storage's URL.

use std::sync::Arc;

use ees_core::EventStore;
use ees_core::ports::{StatisticsStore, Storage};

use crate::Failure;

/// The schemes of all adapters, and the features that they are in.
const ADAPTERS: [&str; 3] = ["dynamodb", "memory", "sqlite"];

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
    #[cfg_attr(
        not(any(feature = "dynamodb", feature = "memory", feature = "sqlite")),
        allow(dead_code)
    )]
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
#[cfg_attr(
    not(any(feature = "dynamodb", feature = "sqlite")),
    allow(clippy::unused_async)
)]
pub async fn open(url: &str) -> Result<OpenStore, Failure> {
    match scheme(url) {
        #[cfg(feature = "dynamodb")]
        "dynamodb" => dynamodb(url).await,
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
        format!(
            "`--storage {url}` names no storage; known are `sqlite:PATH`, `dynamodb://TABLE` and \
             `memory:`"
        )
    })
}

#[cfg(feature = "dynamodb")]
async fn dynamodb(url: &str) -> Result<OpenStore, Failure> {
    let config = dynamodb_config(url)?;
    let sdk = dynamodb_sdk(&config).await;
    let opened = ees_dynamodb::DynamoStorage::open(&config, &sdk).await;
    let storage = opened.map_err(|error| Failure::Storage(error.to_string()))?;
    Ok(OpenStore::over(storage))
}

#[cfg(feature = "dynamodb")]
pub(crate) fn dynamodb_config(url: &str) -> Result<ees_dynamodb::DynamoConfig, Failure> {
    let config = url.parse();
    config.map_err(|error| Failure::Usage(format!("`--storage {url}`: {error}")))
}

/// Credentials as AWS tools find them; an emulator on this machine takes any.
#[cfg(feature = "dynamodb")]
pub(crate) async fn dynamodb_sdk(config: &ees_dynamodb::DynamoConfig) -> ees_dynamodb::SdkConfig {
    if config.is_emulator() && std::env::var_os("AWS_ACCESS_KEY_ID").is_none() {
        return ees_dynamodb::sdk_with_key(config, "emulator", "emulator");
    }
    ees_dynamodb::sdk_from_environment(config).await
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
