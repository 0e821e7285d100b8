//! The suite can fail: storages that break a promise are found out by the case that holds it.

mod batched;
mod counts;
mod damaged;
mod disk;
mod filters;
mod found;
mod identities;
mod keys;
mod moving;
pub(crate) mod order;
mod pages;
mod reads;
mod sets;
mod values;
mod waits;
mod writes;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ees_conformance::faults::{Fault, Faulty};
use ees_conformance::subject::{Direct, Subject};
use ees_conformance::{Adapter, AdapterHarness, Capabilities, Harness};
use ees_memory::MemoryStorage;

/// Small, so that the cases that go right up to it are quick.
const MAX_CHANGESET_BYTES: usize = 6 * 1024 * 1024;

/// A memory store with a fault.
struct Broken<F>(Arc<Faulty<F>>);

/// The same, where what is waited for never comes: nobody waits longer than needed for that.
struct Hanging<F>(Broken<F>);

/// How long a case may take where it waits in vain.
const SHORT: Duration = Duration::from_secs(8);

#[async_trait]
impl<F: Fault + Default> Harness for Broken<F> {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            durable: false,
            orders_at_commit: true,
            max_changeset_bytes: MAX_CHANGESET_BYTES,
        }
    }

    async fn start() -> Self {
        let storage = MemoryStorage::with_max_changeset_bytes(MAX_CHANGESET_BYTES);
        let storage = Arc::new(storage);
        Self(Faulty::new(storage, F::default()))
    }

    fn subject(&self) -> Arc<dyn Subject> {
        Direct::new(Arc::clone(&self.0))
    }

    async fn restart(&mut self) {
        *self = Self::start().await;
    }

    async fn settle(&self) {}
}

impl<F: Fault + Default> AdapterHarness for Broken<F> {
    fn storage(&self) -> Arc<dyn Adapter> {
        self.0.clone()
    }
}

#[async_trait]
impl<F: Fault + Default> Harness for Hanging<F> {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    async fn start() -> Self {
        Self(Broken::start().await)
    }

    fn subject(&self) -> Arc<dyn Subject> {
        self.0.subject()
    }

    async fn restart(&mut self) {
        self.0.restart().await;
    }

    async fn settle(&self) {}

    fn time_limit(&self) -> Duration {
        SHORT
    }
}

impl<F: Fault + Default> AdapterHarness for Hanging<F> {
    fn storage(&self) -> Arc<dyn Adapter> {
        self.0.storage()
    }
}

#[derive(Default)]
struct NoFault;
impl Fault for NoFault {}

/// What the broken ones are made of passes all.
mod sound {
    use super::batched::OnDisk;
    use super::disk::Sound;
    use super::keys::{Keyed, Right};
    use super::{Broken, NoFault};

    type Memory = Broken<NoFault>;
    ees_conformance::adapter_suite!(Memory, mod memory);

    type Keys = Broken<Keyed<Right>>;
    ees_conformance::suite!(Keys, mod keys);

    type Disk = OnDisk<Sound>;
    ees_conformance::adapter_suite!(
        Disk, mod disk, faults: before_the_write, after_the_write, late
    );
}
