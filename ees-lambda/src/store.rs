//! Opens the store once for all invocations of a process.

use std::sync::Arc;
use std::time::Duration;

use ees_core::{StorageError, Written};
use ees_dynamodb::{DynamoConfig, DynamoStorage, OpenError, SdkConfig};
use tokio::sync::OnceCell;
use tokio::time::timeout;

/// How long a process may open the store before it requests its first invocation. Lambda limits the
/// start of a process to 10 seconds.
const WARM_UP: Duration = Duration::from_secs(5);

/// A store that is opened on first use. If opening fails, the next use tries again.
pub(crate) struct Store {
    pub(crate) config: DynamoConfig,
    sdk: SdkConfig,
    opened: OnceCell<Arc<DynamoStorage>>,
}

impl Store {
    pub(crate) fn new(config: DynamoConfig, sdk: SdkConfig) -> Self {
        Self {
            config,
            sdk,
            opened: OnceCell::new(),
        }
    }

    /// The open store.
    pub(crate) async fn get(&self) -> Result<Arc<DynamoStorage>, StorageError> {
        let open = async || {
            let opened = DynamoStorage::open(&self.config, &self.sdk).await;
            opened.map(Arc::new).map_err(translate)
        };
        self.opened.get_or_try_init(open).await.cloned()
    }

    /// Opens the store early, so that the first invocation finds a connection.
    pub(crate) async fn warm_up(&self) {
        match timeout(WARM_UP, self.get()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the store is not open yet"),
            Err(_) => tracing::warn!("the store is not open yet: DynamoDB has not answered"),
        }
    }
}

fn translate(error: OpenError) -> StorageError {
    match error {
        OpenError::Storage(error) => error,
        OpenError::Unreachable { .. } => {
            StorageError::unavailable(error.to_string(), Written::None)
        }
        wrong => StorageError::Backend(Arc::new(wrong)),
    }
}
