//! Making the index state anew from the positions that changesets have.

use ees_core::Checkpoint;
use ees_core::ports::IndexState;

use crate::Admin;
use crate::state::Guard;

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
    /// What a reader may see then: a changeset that had been promised a position which was not
    /// written yet comes once more, at a new one.
    ///
    /// # Errors
    /// [`AdminError`] says why nothing was done. [`AdminError::HasState`] if there is a state, and
    /// the options do not say to replace it.
    pub async fn rebuild_index(&self, options: Options) -> Result<Rebuilt, AdminError> {
        self.tables.check_both().await?;
        let found = self.tables.find_state().await?;
        let (guard, rev) = match found {
            None => (Guard::Absent, 0),
            Some(state) if options.replace => (Guard::Number("rev", state.rev), state.rev + 1),
            Some(_) => return Err(AdminError::HasState),
        };
        let surveyed = self.tables.survey().await?;
        let end = surveyed.positions.end();
        let base = Checkpoint::FIRST.plus(end);
        let intent = Vec::new();
        let state = IndexState { rev, base, intent };
        self.settle(surveyed, state, guard, options).await
    }

    /// Records void positions, and then the state.
    pub(super) async fn settle(
        &self,
        surveyed: Surveyed,
        state: IndexState,
        guard: Guard,
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
            self.tables.save_voids(&holes).await?;
            if !self.tables.put_state(guard, &state).await? {
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
