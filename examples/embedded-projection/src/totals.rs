//! The projection's own data: the totals and the checkpoint that they belong to, in one file.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ees_core::Checkpoint;
use serde::{Deserialize, Serialize};

/// What is counted.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Totals {
    pub(crate) orders: u64,
    pub(crate) amount: u64,
    pub(crate) paid: u64,
}

/// The totals of all changesets below a checkpoint.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Progress {
    pub(crate) checkpoint: Checkpoint,
    pub(crate) totals: Totals,
}

/// Keeps the progress. Totals and checkpoint are saved together, so a crash loses only what was
/// counted after the last save, and that is counted again.
#[derive(Debug, Clone)]
pub(crate) struct TotalsFile {
    path: PathBuf,
}

impl TotalsFile {
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            path: folder.join("totals.json"),
        }
    }

    /// What was saved last; the beginning if nothing was.
    pub(crate) async fn load(&self) -> io::Result<Progress> {
        let path = self.path.clone();
        blocking(move || match fs::read(path) {
            Ok(text) => Ok(serde_json::from_slice(&text)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Progress {
                checkpoint: Checkpoint::FIRST,
                totals: Totals::default(),
            }),
            Err(error) => Err(error),
        })
        .await
    }

    /// Replaces the file. Should the system crash before its folder was flushed, the old file is
    /// there, with an older checkpoint and the totals that belong to it.
    pub(crate) async fn save(&self, progress: Progress) -> io::Result<()> {
        let path = self.path.clone();
        blocking(move || {
            let next = path.with_extension("next");
            let mut file = File::create(&next)?;
            file.write_all(&serde_json::to_vec(&progress)?)?;
            file.sync_all()?;
            fs::rename(next, path)
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(
    step: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let done = tokio::task::spawn_blocking(step).await;
    done.map_err(io::Error::other).flatten()
}
