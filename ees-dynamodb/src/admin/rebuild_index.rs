//! Rebuilds the index state from the positions of the changesets.

use ees_core::adapter::IndexState;
use ees_core::{Checkpoint, Timestamp};

use crate::Admin;

use super::survey::{Places, Survey, Surveyed};
use super::{AdminError, Options};

/// The result of a task: what it found, and the index state that it wrote. A dry run returns what
/// it would write.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rebuilt {
    /// What the scan of the events table found.
    pub survey: Survey,
    /// The index state.
    pub state: IndexState,
    /// The void positions, which readers skip, as inclusive ranges.
    pub voids: Vec<(u64, u64)>,
}

impl Admin {
    /// Rebuilds the index state by a consistent scan of the events table. Positions that are
    /// missing below the highest one become void. Stop all indexers first: if one changes the state
    /// in the meantime, the call changes nothing and fails.
    ///
    /// If the state was lost, a changeset may have been decided at a position that was not written
    /// yet. It gets a new position, so a reader that saw it at the old position sees it again.
    ///
    /// # Errors
    /// [`AdminError`]. [`AdminError::HasState`] if a state exists and [`Options::replace`] is not
    /// set.
    pub async fn rebuild_index(&self, options: Options) -> Result<Rebuilt, AdminError> {
        let (mut admin, found) = self.recognised().await?;
        let layout = &mut admin.tables.layout;
        match &found {
            Some(_) if !options.replace => return Err(AdminError::HasState),
            Some(found) if found.importing => return Err(AdminError::Importing),
            Some(found) if !options.dry_run => admin.tables.complete(&found.state).await?,
            Some(_) => {}
            None => layout.index_page = options.index_page.unwrap_or(layout.index_page),
        }
        let surveyed = admin.survey().await?;
        if found.is_none() {
            admin.check_page_size(surveyed.places, options)?;
        }
        let previous = found.map(|found| found.state.rev);
        let state = IndexState {
            rev: previous.map_or_else(unused_rev, |rev| rev + 1),
            base: Checkpoint::FIRST.plus(surveyed.positions.end()),
            intent: Vec::new(),
        };
        admin.settle(surveyed, state, previous, options).await
    }

    /// Refuses a size of the index pages that the changesets contradict: positions would change.
    fn check_page_size(&self, places: Places, options: Options) -> Result<(), AdminError> {
        let layout = self.tables.layout;
        let assumed = layout.index_page.get();
        // All pages but the last are full, unless the Python original lost the ends of all of them.
        let is_assumed = options.index_page.is_none() && !layout.index_holds_all;
        let is_short = is_assumed && places.page > 0 && places.end < assumed;
        if places.end > assumed || is_short {
            let found = places.end;
            return Err(AdminError::PageSize { found, assumed });
        }
        Ok(())
    }

    /// Writes the state and the void positions, if the state is still the one that was found.
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

/// A `rev` that is higher than any of the lost state. An indexer that kept running therefore does
/// not mistake a later state for one that it knows.
fn unused_rev() -> u64 {
    Timestamp::now().as_micros().unsigned_abs()
}
