//! The identity of the store.

use std::sync::{Arc, PoisonError};

use super::EventStore;
use crate::{Checkpoint, Error, Identity, OtherStore, StorageError, StoreId, Written};

/// How often a swap is tried while other processes swap too.
const TRIES: usize = 8;

impl EventStore {
    /// The identity of the store. The first call reads it from the storage, and makes and stores one
    /// if there is none, or if it was made at another
    /// [place](crate::adapter::Storage::identity_place). A host calls it when it opens the store.
    ///
    /// Another process may give the store a new identity ([`EventStore::renew_identity`]). A process
    /// that has read it before keeps the old one until it opens the store again.
    ///
    /// # Errors
    /// [`Error::Storage`] if the storage fails.
    pub async fn identity(&self) -> Result<Arc<Identity>, Error> {
        if let Some(known) = self.known_identity() {
            return Ok(known);
        }
        let place = self.storage.identity_place();
        for _ in 0..TRIES {
            let stored = self.storage.load_identity().await?;
            let next = match &stored {
                Some(stored) if stored.place == place => return Ok(self.keep(stored.clone())),
                Some(stored) => stored.renewed(self.next_checkpoint().await?, place.clone()),
                None => Identity::generate(place.clone()),
            };
            if self.storage.swap_identity(stored.as_ref(), &next).await? {
                return Ok(self.keep(next));
            }
        }
        Err(raced().into())
    }

    /// The id of the store, once [`EventStore::identity`] was called.
    pub fn store_id(&self) -> Option<StoreId> {
        Some(self.known_identity()?.id)
    }

    /// Gives the store a new id, after it was restored from a copy by other means than this project's
    /// own, and before anything is committed to it. Readers that name the old id then learn that they
    /// have to go back. It records the old id with the head of the global order.
    ///
    /// # Errors
    /// [`Error::Storage`] if the storage fails. The store may have a new id all the same.
    pub async fn renew_identity(&self) -> Result<Arc<Identity>, Error> {
        for _ in 0..TRIES {
            let stored = self.storage.load_identity().await?;
            let next = match stored
                .clone()
                .or(self.known_identity().map(Arc::unwrap_or_clone))
            {
                Some(stored) => {
                    let head = self.next_checkpoint().await?;
                    stored.renewed(head, self.storage.identity_place())
                }
                None => Identity::generate(self.storage.identity_place()),
            };
            if self.storage.swap_identity(stored.as_ref(), &next).await? {
                return Ok(self.replace(next));
            }
        }
        Err(raced().into())
    }

    /// Records that this store has the same changesets as another one below a checkpoint, as an import
    /// does: readers of the other store go on here. The id stays.
    ///
    /// # Errors
    /// [`Error::Storage`] if the storage fails. It may be recorded all the same.
    pub async fn copied_from(
        &self,
        source: &Identity,
        below: Checkpoint,
    ) -> Result<Arc<Identity>, Error> {
        let mut known = self.identity().await?;
        for _ in 0..TRIES {
            let next = known.copied_from(source, below);
            if next == *known || self.storage.swap_identity(Some(&known), &next).await? {
                return Ok(self.replace(next));
            }
            if let Some(stored) = self.storage.load_identity().await? {
                known = Arc::new(stored);
            }
        }
        Err(raced().into())
    }

    /// Refuses a reader whose checkpoint belongs to a store with another id.
    ///
    /// # Errors
    /// [`Error::OtherStore`], or [`Error::Storage`] if the storage fails.
    pub async fn check_store(&self, asked: StoreId) -> Result<(), Error> {
        let identity = self.identity().await?;
        if identity.id == asked {
            return Ok(());
        }
        Err(Error::OtherStore(Box::new(OtherStore {
            store: identity.id,
            asked,
            head: self.next_checkpoint().await?,
            same_below: identity.same_below(asked),
        })))
    }

    fn known_identity(&self) -> Option<Arc<Identity>> {
        let known = self.identity.read();
        known.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps the identity that was read first: calls at the same time agree.
    fn keep(&self, identity: Identity) -> Arc<Identity> {
        let mut known = self
            .identity
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.get_or_insert_with(|| Arc::new(identity)))
    }

    fn replace(&self, identity: Identity) -> Arc<Identity> {
        let identity = Arc::new(identity);
        let mut known = self
            .identity
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *known = Some(Arc::clone(&identity));
        identity
    }
}

fn raced() -> StorageError {
    let reason = "other processes give the store a new identity at the same time";
    StorageError::unavailable(reason, Written::None)
}
