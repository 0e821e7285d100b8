//! The conformance suite on a file.

use std::sync::Arc;

use async_trait::async_trait;
use ees_conformance::subject::{Direct, Subject};
use ees_conformance::{
    Adapter, AdapterHarness, Capabilities, ConsumerHarness, Damage, DamageHarness, EvidenceHarness,
    Harness, WriteFaults,
};
use ees_core::adapter::{ConsumerStore, Fence, Import, LogStore, Storage};
use ees_sqlite::{SqliteConfig, SqliteStorage};
use tempfile::TempDir;

use crate::breaking::Breaking;
use crate::damaging::damage;

/// Small, so that the cases that go right up to it are quick.
const MAX_CHANGESET_BYTES: usize = 6 * 1024 * 1024;

pub(crate) struct Sqlite {
    pub(crate) folder: TempDir,
    pub(crate) storage: Arc<SqliteStorage>,
    breaking: Arc<Breaking>,
}

impl Sqlite {
    async fn open(folder: &TempDir) -> Arc<SqliteStorage> {
        let mut config = SqliteConfig::new(folder.path().join("ees.db"));
        config.max_changeset_bytes = MAX_CHANGESET_BYTES;
        Arc::new(SqliteStorage::open(&config).await.expect("a store"))
    }
}

#[async_trait]
impl Harness for Sqlite {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            durable: true,
            orders_at_commit: true,
            max_changeset_bytes: MAX_CHANGESET_BYTES,
        }
    }

    async fn start() -> Self {
        let folder = TempDir::new().expect("a folder");
        let storage = Self::open(&folder).await;
        let breaking = Arc::new(Breaking::new(&folder.path().join("ees.db")));
        Self {
            folder,
            storage,
            breaking,
        }
    }

    fn subject(&self) -> Arc<dyn Subject> {
        Direct::new(Arc::clone(&self.storage))
    }

    async fn restart(&mut self) {
        self.storage.close().await;
        self.storage = Self::open(&self.folder).await;
    }

    async fn settle(&self) {}
}

impl ConsumerHarness for Sqlite {
    fn consumers(&self) -> Arc<dyn ConsumerStore> {
        Arc::clone(&self.storage) as _
    }
}

impl EvidenceHarness for Sqlite {
    fn log(&self) -> Arc<dyn LogStore> {
        Arc::clone(&self.storage) as _
    }

    fn import(&self) -> Arc<dyn Import> {
        Arc::clone(&self.storage) as _
    }

    fn fence(&self) -> Option<Arc<dyn Fence>> {
        Some(Arc::clone(&self.storage) as _)
    }
}

#[async_trait]
impl DamageHarness for Sqlite {
    async fn damage(&self, stream_id: &str, changeset_id: u64, harm: Damage) {
        let file = self.folder.path().join("ees.db");
        damage(&file, stream_id, changeset_id, harm);
    }

    fn import_target(&self) -> Option<Arc<dyn Import>> {
        Some(Arc::clone(&self.storage) as _)
    }
}

impl AdapterHarness for Sqlite {
    fn storage(&self) -> Arc<dyn Adapter> {
        self.storage.clone()
    }

    fn faults(&self) -> Option<Arc<dyn WriteFaults>> {
        Some(Arc::clone(&self.breaking) as Arc<dyn WriteFaults>)
    }
}

ees_conformance::adapter_suite!(Sqlite, mod suite, faults: before_the_write, late);

ees_conformance::consumer_suite!(Sqlite, mod consumers);

ees_conformance::evidence_suite!(Sqlite, mod evidence);

ees_conformance::damage_suite!(Sqlite, mod damage);
