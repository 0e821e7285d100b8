//! The projection's own data: the totals and the checkpoint that they belong to, in one file.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use ees_core::{Checkpoint, CheckpointStore, StorageError};
use serde::{Deserialize, Serialize};

/// What is counted.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Totals {
    pub(crate) orders: u64,
    pub(crate) amount: u64,
    pub(crate) paid: u64,
}

/// Keeps the totals. They are saved with the checkpoint, at once or not at all: what was counted
/// after the last time is forgotten with a crash, and counted again.
pub(crate) struct TotalsFile {
    folder: PathBuf,
    totals: Mutex<Totals>,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    checkpoint: u64,
    totals: Totals,
}

impl TotalsFile {
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            totals: Mutex::default(),
        }
    }

    pub(crate) fn totals(&self) -> Totals {
        *self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set(&self, totals: Totals) {
        *self.totals.lock().unwrap_or_else(PoisonError::into_inner) = totals;
    }

    fn path(&self, subscription: &str) -> PathBuf {
        self.folder.join(format!("{subscription}.json"))
    }
}

#[async_trait]
impl CheckpointStore for TotalsFile {
    async fn load_checkpoint(
        &self,
        subscription: &str,
    ) -> Result<Option<Checkpoint>, StorageError> {
        let path = self.path(subscription);
        let Some(saved) = blocking(move || load(&path)).await? else {
            return Ok(None);
        };
        self.set(saved.totals);
        let checkpoint = Checkpoint::new(saved.checkpoint);
        let checkpoint = checkpoint.map_err(|error| StorageError::Corrupt(error.to_string()))?;
        Ok(Some(checkpoint))
    }

    async fn save_checkpoint(
        &self,
        subscription: &str,
        checkpoint: Checkpoint,
    ) -> Result<(), StorageError> {
        let path = self.path(subscription);
        let saved = Saved {
            checkpoint: checkpoint.get(),
            totals: self.totals(),
        };
        blocking(move || save(&path, &saved)).await
    }
}

fn load(path: &Path) -> io::Result<Option<Saved>> {
    match fs::read(path) {
        Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Puts a new file in the old one's place. Should the system crash before its folder was flushed,
/// the old one is there, with an older checkpoint and the totals that belong to it.
fn save(path: &Path, saved: &Saved) -> io::Result<()> {
    let next = path.with_extension("next");
    let mut file = File::create(&next)?;
    file.write_all(&serde_json::to_vec(saved)?)?;
    file.sync_all()?;
    fs::rename(next, path)
}

async fn blocking<T: Send + 'static>(
    step: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, StorageError> {
    let done = tokio::task::spawn_blocking(step).await;
    let done = done.map_err(io::Error::other).flatten();
    done.map_err(|error| StorageError::Backend(Arc::new(error)))
}
