//! Making the index state anew from the positions that changesets have.

use ees_core::adapter::IndexState;
use ees_core::{Checkpoint, Timestamp};

use crate::Admin;

use super::survey::{Survey, Surveyed};
use super::{AdminError, Options};

/// What an act found, and what state it left.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rebuilt {
    /// What the events table holds.
    pub survey: Survey,
    /// The state.
    pub state: IndexState,
    /// The positions that nobody has, as ranges with both ends included: readers pass them.
    pub voids: Vec<(u64, u64)>,
}

impl Admin {
    /// Makes the index state anew by a consistent scan of the events table. Positions that are
    /// missing before the highest one become void. Indexers should be stopped: if one changes the
    /// state meanwhile, nothing is done.
    ///
    /// What a reader may see then, where the state was lost: a changeset that had been promised a
    /// position which was not written yet comes once more, at a new one.
    ///
    /// # Errors
    /// [`AdminError`] says why nothing was done. [`AdminError::HasState`] if there is a state, and
    /// the options do not say to replace it.
    pub async fn rebuild_index(&self, options: Options) -> Result<Rebuilt, AdminError> {
        self.tables.check_both().await?;
        let found = self.tables.find_state().await?;
        if found.is_some() && !options.replace {
            return Err(AdminError::HasState);
        }
        if let Some(state) = found.as_ref().filter(|_| !options.dry_run) {
            self.complete(state).await?;
        }
        let previous = found.map(|state| state.rev);
        let surveyed = self.survey().await?;
        let state = IndexState {
            rev: previous.map_or_else(unused_rev, |rev| rev + 1),
            base: Checkpoint::FIRST.plus(surveyed.positions.end()),
            intent: Vec::new(),
        };
        self.settle(surveyed, state, previous, options).await
    }

    /// Writes what an intent promised, where that still can be: so that no indexer is at work on it
    /// any more, and no reader sees it move.
    async fn complete(&self, state: &IndexState) -> Result<(), AdminError> {
        for (key, position) in state.members() {
            self.tables.write_position(key, position).await?;
        }
        Ok(())
    }

    /// Records the state and the void positions, if the state that was found still stands.
    pub(super) async fn settle(
        &self,
        surveyed: Surveyed,
        state: IndexState,
        previous: Option<u64>,
        options: Options,
    ) -> Result<Rebuilt, AdminError> {
        let Surveyed {
            survey, positions, ..
        } = surveyed;
        if survey.twice.count > 0 {
            return Err(AdminError::Twice(survey.twice));
        }
        if survey.out_of_order.count > 0 && !options.accept_disorder {
            return Err(AdminError::OutOfOrder(survey.out_of_order));
        }
        let holes = positions.holes(state.base.get());
        let voids = holes.ranges().collect();
        if !options.dry_run {
            let put = self.tables.put_state_and_voids(previous, &state, &holes);
            if !put.await? {
                return Err(AdminError::Raced);
            }
        }
        Ok(Rebuilt {
            survey,
            state,
            voids,
        })
    }
}

/// A `rev` that the lost state never came to: an indexer that outlived it takes no later state for
/// one that it knows.
fn unused_rev() -> u64 {
    Timestamp::now().as_micros().unsigned_abs()
}
