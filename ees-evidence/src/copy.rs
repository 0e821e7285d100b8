//! Copying: an export and an import at once.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ees_core::adapter::Fence;
use ees_core::{Checkpoint, PageLimit};

use crate::export::Export;
use crate::import::Importer;
use crate::imported::Imported;
use crate::known::Leaves;
use crate::moving::MovableStore;
use crate::moving_error::MoveError;

/// How long one wait for more commits takes at most.
const WAIT: Duration = Duration::from_secs(1);

/// A round that copied fewer changesets has caught up: a source that gets a fence then rests for a
/// moment only.
const CAUGHT_UP: u64 = 1000;

/// When a copy ends.
#[derive(Clone)]
pub enum Until {
    /// With what the source has when the copy begins.
    Now,
    /// It follows the source until it is stopped. A copy with another end goes on behind it.
    Stopped,
    /// It follows the source until somebody gives it a fence, and then to its end.
    Fenced(Arc<dyn Fence>),
    /// It gives the source a fence as soon as it has caught up, with the new address, and goes on to its
    /// end.
    Fencing(Arc<dyn Fence>, String),
}

impl fmt::Debug for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Now => "Now",
            Self::Stopped => "Stopped",
            Self::Fenced(_) => "Fenced",
            Self::Fencing(..) => "Fencing",
        })
    }
}

/// A copy of a store into another one.
///
/// What the target has must be a beginning of what the source has. A copy that was stopped goes on
/// behind it. How far subscriptions and consumers had come is written at the end.
pub struct Copy {
    source: MovableStore,
    target: MovableStore,
    until: Until,
    with_progress: bool,
}

impl Copy {
    /// A copy from one store to another.
    pub fn new(source: &MovableStore, target: &MovableStore, until: Until) -> Self {
        Self {
            source: source.clone(),
            target: target.clone(),
            until,
            with_progress: true,
        }
    }

    /// The same copy, which leaves out how far subscriptions and consumers had come.
    #[must_use]
    pub fn without_progress(mut self) -> Self {
        self.with_progress = false;
        self
    }

    /// Copies. `watch` gets the position that was reached, and the end so far.
    ///
    /// # Errors
    /// [`MoveError`]. What is copied stays; the same copy goes on behind it.
    pub async fn run(
        &self,
        mut watch: impl FnMut(Checkpoint, Checkpoint),
    ) -> Result<Imported, MoveError> {
        let at = self.target.store.next_checkpoint().await?;
        let mut export = Export::begin(&self.source, at).await.map_err(ahead)?;
        let mut importer = Importer::new(&self.target);
        if !self.with_progress {
            importer = importer.without_progress();
        }
        let mut copied = at;
        loop {
            while let Some(parts) = export.next_changesets().await? {
                for part in parts {
                    match importer.push(part).await {
                        Err(MoveError::DiffersBelow(below)) => {
                            return Err(self.difference(below).await?);
                        }
                        pushed => pushed?,
                    }
                }
                watch(export.at(), export.end());
            }
            let count = export.at().get() - copied.get();
            copied = export.at();
            if self.is_last_round(count).await? {
                // Nothing more is committed now.
                let has_more = !matches!(self.until, Until::Now) && export.look_again().await?;
                if !has_more {
                    break;
                }
                continue;
            }
            if !export.look_again().await? {
                let (store, limit) = (&self.source.store, PageLimit::items(1));
                store.await_changesets(export.at(), limit, WAIT).await?;
                export.look_again().await?;
            }
            watch(export.at(), export.end());
        }
        while let Some(parts) = export.next_of_rest().await? {
            for part in parts {
                importer.push(part).await?;
            }
        }
        importer.finish()
    }

    /// Whether nothing follows what the source has now.
    async fn is_last_round(&self, count: u64) -> Result<bool, MoveError> {
        Ok(match &self.until {
            Until::Now => true,
            Until::Stopped => false,
            Until::Fenced(fence) => fence.fence_state().await?.is_some(),
            Until::Fencing(fence, address) => {
                let is_fenced = fence.fence_state().await?.as_ref() == Some(address);
                if !is_fenced && count < CAUGHT_UP {
                    fence.fence(address).await?;
                }
                is_fenced || count < CAUGHT_UP
            }
        })
    }

    /// The first difference between two stores that are not the same below a checkpoint.
    async fn difference(&self, below: Checkpoint) -> Result<MoveError, MoveError> {
        let first = Checkpoint::FIRST;
        let mut source = Leaves::of(&self.source.store, first, below).await?;
        let mut target = Leaves::of(&self.target.store, first, below).await?;
        let mut at = first;
        while let (Some(one), Some(other)) = (source.next().await?, target.next().await?) {
            if one != other {
                return Ok(MoveError::Differs(at));
            }
            at = at.plus(1);
        }
        Ok(MoveError::DiffersBelow(below))
    }
}

/// The target is beyond the source.
fn ahead(error: MoveError) -> MoveError {
    match error {
        MoveError::BeyondEnd { from, end } => MoveError::Ahead {
            end: from,
            size: end,
        },
        error => error,
    }
}

impl fmt::Debug for Copy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Copy").finish_non_exhaustive()
    }
}
