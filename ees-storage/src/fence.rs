//! Opens the fence of a store.

use std::sync::Arc;

use ees_core::adapter::Fence;

use crate::{Adapter, OpenError};

/// Opens the fence of a store that other processes may serve in the meantime, also a SQLite file. `None`
/// if the storage has no fence that another process could make: DynamoDB and `memory:`.
///
/// # Errors
/// [`OpenError::Url`] if the URL is wrong or this build lacks its adapter, [`OpenError::Storage`] if
/// there is no such store. A SQLite file is not created.
///
/// # Panics
/// Outside a tokio runtime, which PostgreSQL needs.
#[cfg_attr(
    not(any(feature = "postgres", feature = "sqlite")),
    allow(clippy::unused_async)
)]
pub async fn open_fence(url: &str) -> Result<Option<Arc<dyn Fence>>, OpenError> {
    match Adapter::of(url)? {
        #[cfg(feature = "dynamodb")]
        Adapter::Dynamodb => Ok(None),
        #[cfg(feature = "memory")]
        Adapter::Memory => Ok(None),
        #[cfg(feature = "postgres")]
        Adapter::Postgres => Ok(Box::pin(crate::open(url)).await?.fence),
        #[cfg(feature = "sqlite")]
        Adapter::Sqlite => {
            let config = url.parse().map_err(|error| OpenError::url(url, error))?;
            let fence = ees_sqlite::FileFence::of(&config).await;
            Ok(Some(Arc::new(fence.map_err(OpenError::storage)?)))
        }
        #[allow(unreachable_patterns, reason = "a build may hold every adapter")]
        adapter => Err(OpenError::left_out(url, adapter.scheme())),
    }
}
