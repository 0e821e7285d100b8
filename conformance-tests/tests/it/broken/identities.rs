//! Storages that do not keep an identity as they should.

use async_trait::async_trait;
use ees_conformance::Adapter;
use ees_conformance::faults::Fault;
use ees_core::{Identity, StorageError};

/// Keeps no identity, so that each process makes one of its own.
#[derive(Default)]
pub(super) struct KeepsNone;

#[async_trait]
impl Fault for KeepsNone {
    async fn load_identity(&self, _: &dyn Adapter) -> Result<Option<Identity>, StorageError> {
        Ok(None)
    }

    async fn swap_identity(
        &self,
        _: &dyn Adapter,
        _: Option<&Identity>,
        _: &Identity,
    ) -> Result<bool, StorageError> {
        Ok(true)
    }
}

/// Overwrites an identity that another process has stored.
#[derive(Default)]
pub(super) struct Overwrites;

#[async_trait]
impl Fault for Overwrites {
    async fn swap_identity(
        &self,
        inner: &dyn Adapter,
        _: Option<&Identity>,
        next: &Identity,
    ) -> Result<bool, StorageError> {
        let stored = inner.load_identity().await?;
        inner.swap_identity(stored.as_ref(), next).await
    }
}

/// Has one id in its program, and so in every store.
#[derive(Default)]
pub(super) struct OneForAll;

#[async_trait]
impl Fault for OneForAll {
    async fn load_identity(&self, inner: &dyn Adapter) -> Result<Option<Identity>, StorageError> {
        let mut identity = inner.load_identity().await?;
        let identity = identity.get_or_insert_with(|| Identity::generate(None));
        identity.id = "0f3c9a52-7d1e-4b68-9c05-2a6f81d3b7e4"
            .parse()
            .unwrap_or(identity.id);
        Ok(Some(identity.clone()))
    }
}

/// Keeps the id, and forgets the former ones.
#[derive(Default)]
pub(super) struct ForgetsFormer;

#[async_trait]
impl Fault for ForgetsFormer {
    async fn swap_identity(
        &self,
        inner: &dyn Adapter,
        previous: Option<&Identity>,
        next: &Identity,
    ) -> Result<bool, StorageError> {
        let mut next = next.clone();
        next.former.clear();
        inner.swap_identity(previous, &next).await
    }
}
