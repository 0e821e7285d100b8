//! The fence of a file that another process serves.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use ees_core::adapter::Fence;
use ees_core::{StorageError, Written};
use rusqlite::Connection;

use crate::lock::real_path;
use crate::{OpenError, SqliteConfig, moved, opening, threads};

/// The fence of a file, whoever serves it. Each call opens the file, and closes it.
///
/// The process that serves the file sees the fence before its next commit.
#[derive(Debug, Clone)]
pub struct FileFence {
    path: PathBuf,
}

impl FileFence {
    /// The fence of an existing store. It must have the current schema, which it has once this version
    /// has opened it.
    ///
    /// # Errors
    /// [`OpenError`] if the file is missing or is not such a store.
    pub async fn of(config: &SqliteConfig) -> Result<Self, OpenError> {
        let path = real_path(&config.path)?;
        let file = path.clone();
        let checked = threads::run("ees-sqlite-fence", move || open(&file).map(drop)).await;
        checked.map_err(|error| no_thread(&path, &error))??;
        Ok(Self { path })
    }

    async fn run<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Connection) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, StorageError> {
        let file = self.path.clone();
        let done = threads::run("ees-sqlite-fence", move || {
            let connection = open(&file).map_err(|error| unavailable(&error))?;
            call(&connection)
        });
        done.await
            .map_err(|error| unavailable(&no_thread(&self.path, &error)))?
    }
}

#[async_trait]
impl Fence for FileFence {
    async fn fence(&self, moved_to: &str) -> Result<(), StorageError> {
        let moved_to = moved_to.to_owned();
        self.run(move |connection| moved::raise(connection, &moved_to))
            .await
    }

    async fn lift_fence(&self) -> Result<(), StorageError> {
        self.run(moved::lift).await
    }

    async fn fence_state(&self) -> Result<Option<String>, StorageError> {
        self.run(moved::load).await
    }
}

/// Opens a store beside the process that serves it.
fn open(path: &Path) -> Result<Connection, OpenError> {
    if !path.exists() {
        return Err(OpenError::Missing(path.to_owned()));
    }
    opening::open_beside(path)
}

fn unavailable(error: &OpenError) -> StorageError {
    StorageError::unavailable(error.to_string(), Written::None)
}

fn no_thread(path: &Path, error: &std::io::Error) -> OpenError {
    OpenError::NotWritable {
        path: path.to_owned(),
        reason: format!("a thread could not be run: {error}"),
    }
}
