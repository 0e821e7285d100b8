//! What the commands have in common that move data.

mod input;
mod output;

use ees_core::adapter::Fence;
use ees_evidence::{Imported, MovableStore};
use ees_storage::{Adapter, OpenStore};
use serde_json::{Value, json};
use std::sync::Arc;

use crate::Failure;
use crate::existing::check_exists;

pub(crate) use input::Input;
pub(crate) use output::Output;

/// A store that is open for a move.
pub(crate) struct Opened {
    pub(crate) movable: MovableStore,
    pub(crate) fence: Option<Arc<dyn Fence>>,
}

impl Opened {
    /// A store to read, beside a server that may use it.
    pub(crate) async fn to_read(url: &str) -> Result<Self, Failure> {
        check_exists(url)?;
        let opened = Box::pin(ees_storage::open_to_read(url)).await;
        Ok(Self::of(opened.map_err(Failure::of_storage)?))
    }

    /// A store to write to.
    pub(crate) async fn to_write(url: &str) -> Result<Self, Failure> {
        if Adapter::of(url).map_err(Failure::of_storage)? == Adapter::Memory {
            return Err(Failure::Usage(
                "a store in memory exists only in its server's process".to_owned(),
            ));
        }
        let opened = Box::pin(ees_storage::open(url)).await;
        Ok(Self::of(opened.map_err(Failure::of_storage)?))
    }

    fn of(opened: OpenStore) -> Self {
        Self {
            movable: MovableStore::new(&opened.store, opened.checkpoints, opened.import),
            fence: opened.fence,
        }
    }

    /// Closes the store after a task.
    pub(crate) async fn close(self) {
        self.movable.store().close().await;
    }
}

/// A move that failed.
pub(crate) fn failed(error: impl std::error::Error) -> Failure {
    Failure::Run(error.to_string())
}

/// What an import has done, as text and as JSON.
pub(crate) fn print(imported: &Imported, task: &str, to: &str, as_json: bool) {
    let to = ees_storage::redacted(to);
    let progress = &imported.progress;
    if as_json {
        println!("{}", as_value(imported));
        return;
    }
    println!(
        "{to}: {task} {} changesets; {} positions, root {}, read back and compared; the checkpoints of {} \
         subscriptions, and {} consumers",
        imported.changesets,
        imported.size,
        imported.root,
        progress.subscriptions,
        progress.consumers
    );
    for kept in &progress.kept {
        println!("kept as it was: {kept}");
    }
    let unnamed = progress.kept_count - progress.kept.len() as u64;
    if unnamed > 0 {
        println!("kept as they were: {unnamed} more");
    }
}

fn as_value(imported: &Imported) -> Value {
    let progress = &imported.progress;
    json!({
        "changesets": imported.changesets,
        "size": imported.size,
        "root": imported.root,
        "subscriptions": progress.subscriptions,
        "consumers": progress.consumers,
        "kept": { "count": progress.kept_count, "first": progress.kept },
    })
}
