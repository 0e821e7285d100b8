//! The stored identity of the store, in an item of the analysis table.

use ees_core::{Identity, StorageError};

use crate::items::{Item, text};
use crate::schema::PROJECTION_ID;
use crate::tables::{Guard, Tables};

const ITEM: &str = "ees:identity";
const IDENTITY: &str = "identity";

impl Tables {
    pub(crate) async fn identity(&self) -> Result<Option<Identity>, StorageError> {
        let Some(item) = self.analysis(ITEM).await? else {
            return Ok(None);
        };
        let stored = item.get(IDENTITY).and_then(|stored| stored.as_s().ok());
        let stored = stored.ok_or_else(|| self.malformed(ITEM))?;
        Identity::of_text(stored).map(Some)
    }

    pub(crate) async fn swap_identity(
        &self,
        previous: Option<&Identity>,
        next: &Identity,
    ) -> Result<bool, StorageError> {
        let guard = previous.map_or(Guard::Absent, |previous| {
            Guard::Text(IDENTITY, previous.to_text())
        });
        let item = Item::from([
            (PROJECTION_ID.to_owned(), text(ITEM)),
            (IDENTITY.to_owned(), text(next.to_text())),
        ]);
        self.swap(guard, item).await
    }
}
