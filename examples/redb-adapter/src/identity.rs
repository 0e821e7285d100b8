//! The identity of the store: one text.

use ees_core::{Identity, StorageError};
use redb::ReadableTable;

use crate::error::translate;
use crate::schema::IDENTITY;
use crate::storage::RedbStorage;

impl RedbStorage {
    pub(crate) async fn stored_identity(&self) -> Result<Option<Identity>, StorageError> {
        self.read(|transaction| {
            let table = transaction.open_table(IDENTITY).map_err(translate)?;
            let text = table.get(()).map_err(translate)?;
            text.map(|text| Identity::of_text(text.value())).transpose()
        })
        .await
    }

    pub(crate) async fn store_identity(
        &self,
        previous: Option<String>,
        next: String,
    ) -> Result<bool, StorageError> {
        self.write(move |transaction| {
            let mut table = transaction.open_table(IDENTITY).map_err(translate)?;
            let stored = table.get(()).map_err(translate)?;
            if stored.map(|stored| stored.value().to_owned()) != previous {
                return Ok(false);
            }
            table.insert((), next.as_str()).map_err(translate)?;
            Ok(true)
        })
        .await
    }
}
