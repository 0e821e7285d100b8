//! The contiguous reader over the port.

use crate::ports::Index;
use crate::{Checkpoint, GlobalPage, PageLimit, StorageError};

use super::{ReadAnswer, ReadRequest, Reading, Turn};

/// Reads a page of the global order from a checkpoint on. It implements
/// [`Storage::read_global`](crate::ports::Storage::read_global) for a storage that orders after the
/// commit. A reader that follows [`GlobalPage::next`] sees each changeset once (G6), whatever the
/// lag of the index; see [`Reading`].
///
/// # Errors
/// [`StorageError`] if the storage fails, or holds contradictory data.
pub async fn read_global(
    index: &dyn Index,
    from: Checkpoint,
    limit: PageLimit,
) -> Result<GlobalPage, StorageError> {
    let (mut reading, mut request) = Reading::begin(from, limit);
    loop {
        let answer = match request {
            ReadRequest::Index { from, limit } => {
                ReadAnswer::Index(index.read_index(from, limit).await?)
            }
            ReadRequest::State => ReadAnswer::State(index.load_state().await?),
            ReadRequest::Fetch(keys) => ReadAnswer::Fetched(index.fetch(&keys).await?),
            ReadRequest::PastVoid(position) => {
                ReadAnswer::PastVoid(index.past_void(position).await?)
            }
        };
        match reading.answer(answer)? {
            Turn::Ask(next) => request = next,
            Turn::Done(page) => return Ok(page),
        }
    }
}
