//! Loads an order from a snapshot.

use ees_core::{Error, EventStore, Expectation, StreamId, StreamQuery};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};

use crate::order::Order;

/// The form of the state. Increase it with every change of [`Order`] or of its fold.
const FORM: u32 = 2;

/// The state of an order after a changeset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    form: u32,
    /// The last changeset that the state contains; 0 for none.
    changeset: u64,
    /// The state.
    pub order: Order,
}

impl Snapshot {
    /// The state before the first changeset.
    const NONE: Self = Self {
        form: FORM,
        changeset: 0,
        order: Order {
            is_placed: false,
            open_cents: 0,
        },
    };

    /// Loads an order. Reads only what follows the saved snapshot, unless that has another form.
    ///
    /// # Errors
    /// [`Error`] if the store fails, or if an event cannot be read.
    pub async fn load(
        store: &EventStore,
        stream: &StreamId,
        saved: Option<Self>,
    ) -> Result<Self, Error> {
        let saved = saved.filter(|saved| saved.form == FORM);
        let mut state = saved.unwrap_or(Self::NONE);
        let rest = StreamQuery::all(stream.clone()).changesets(state.changeset + 1..);
        let mut changesets = store.read_changesets(rest);
        while let Some(changeset) = changesets.try_next().await? {
            for event in changeset.read_events() {
                state.order = state.order.apply(&event?);
            }
            state.changeset = changeset.changeset_id.get();
        }
        Ok(state)
    }

    /// The expectation of a commit that is based on this state.
    pub fn expectation(&self) -> Expectation {
        Expectation::LastChangeset(self.changeset)
    }
}
