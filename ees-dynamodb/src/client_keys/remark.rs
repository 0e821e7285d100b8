//! Writes the marker of a changeset that stands already.

use ees_core::adapter::ClientKey;
use ees_core::{ChangesetId, StorageError, Written};

use super::step::Standing;
use crate::tables::Tables;

/// How often a marker is compared and written, while other commits write it too.
const TRIES: usize = 16;

/// What became of the marker of a changeset.
pub(crate) enum Remarked {
    /// It stood.
    Stood,
    /// It was written or corrected.
    Written,
    /// It names an earlier changeset of the stream that has the same key.
    Repeated,
}

impl Tables {
    /// Makes the marker of a key name the first changeset that has the key, of which `id` is one.
    pub(crate) async fn remark(
        &self,
        key: &ClientKey,
        id: ChangesetId,
    ) -> Result<Remarked, StorageError> {
        if self.mark(key, None, id).await? {
            return Ok(Remarked::Written);
        }
        for _ in 0..TRIES {
            let Some(marker) = self.marker(key).await? else {
                continue;
            };
            if marker == id {
                return Ok(Remarked::Stood);
            }
            if marker < id && self.standing(key, marker).await? == Standing::Ours {
                return Ok(Remarked::Repeated);
            }
            if self.mark(key, Some(marker), id).await? {
                return Ok(Remarked::Written);
            }
        }
        let reason = "commits with one idempotency key compete";
        Err(StorageError::unavailable(reason, Written::None))
    }
}
