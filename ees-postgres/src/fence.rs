//! The port that ends the commits to a store, for a move. Every batch of group commit reads the fence
//! under the store's lock ([`writer`](crate::writer)).

use async_trait::async_trait;
use ees_core::StorageError;
use ees_core::adapter::Fence;

use crate::PostgresStorage;
use crate::error::translate;
use crate::readers::Statement;
use crate::rows::text;
use crate::session::patiently;

const LOAD: &str = "SELECT moved_to FROM fence WHERE id = 1";

const RAISE: &str = "
    INSERT INTO fence (id, moved_to) VALUES (1, $1)
    ON CONFLICT (id) DO UPDATE SET moved_to = excluded.moved_to";

const LIFT: &str = "DELETE FROM fence WHERE id = 1";

impl PostgresStorage {
    /// Writes the fence while nobody commits.
    async fn write_fence(&self, statement: Statement<'_>) -> Result<(), StorageError> {
        let mut transaction = self.exclusive.begin().await?;
        let write = statement.execute(&mut transaction.connection);
        patiently(write).await.map_err(translate)?;
        transaction.commit().await?;
        self.exclusive.rest().await;
        Ok(())
    }
}

#[async_trait]
impl Fence for PostgresStorage {
    async fn fence(&self, moved_to: &str) -> Result<(), StorageError> {
        self.write_fence(sqlx::query(RAISE).bind(moved_to)).await
    }

    async fn lift_fence(&self) -> Result<(), StorageError> {
        self.write_fence(sqlx::query(LIFT)).await
    }

    async fn fence_state(&self) -> Result<Option<String>, StorageError> {
        let row = self.one(|| sqlx::query(LOAD)).await?;
        row.map(|row| Ok(text(&row, 0)?.to_owned())).transpose()
    }
}
