//! The stored identity of the store.

use ees_core::{Identity, StorageError};
use sqlx::Row;

use crate::PostgresStorage;
use crate::error::translate;

const LOAD: &str = "SELECT identity FROM identity";

const STORE: &str = "
    INSERT INTO identity (id, identity) VALUES (1, $1) ON CONFLICT DO NOTHING RETURNING id";

const REPLACE: &str = "UPDATE identity SET identity = $1 WHERE identity = $2 RETURNING id";

impl PostgresStorage {
    pub(crate) async fn stored_identity(&self) -> Result<Option<Identity>, StorageError> {
        let Some(row) = self.one(|| sqlx::query(LOAD)).await? else {
            return Ok(None);
        };
        let text: String = row.try_get(0).map_err(translate)?;
        Identity::of_text(&text).map(Some)
    }

    /// Stores an identity if the stored one is still `previous`. After a lost answer the stored one
    /// decides.
    pub(crate) async fn store_identity(
        &self,
        previous: Option<&Identity>,
        next: &Identity,
    ) -> Result<bool, StorageError> {
        let (previous, text) = (previous.map(Identity::to_text), next.to_text());
        let store = || match &previous {
            None => sqlx::query(STORE).bind(text.clone()),
            Some(previous) => sqlx::query(REPLACE)
                .bind(text.clone())
                .bind(previous.clone()),
        };
        Ok(self.one(store).await?.is_some())
    }
}
