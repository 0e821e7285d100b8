//! The transaction of a set.

use aws_sdk_dynamodb::types::TransactWriteItem;
use ees_core::adapter::{ChangesetKey, ClientKey, Commit, Slot};
use ees_core::{Changeset, ChangesetId, StorageError};

use crate::client_keys::marker_item;
use crate::items::CHANGESET_ID;
use crate::tables::{Guard, Tables};

/// A set whose expectations hold, as far as is known.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The changesets to write.
    pub(super) changesets: Vec<Changeset>,
    /// The markers to write: the key, its slot, and the marker that was read. If none was read, there
    /// is none, or one that names the slot.
    markers: Vec<(ClientKey, ChangesetId, Option<ChangesetId>)>,
    /// What must not exist, because a check expects the stream to end before it.
    absent: Vec<ChangesetKey>,
}

impl Plan {
    /// Adds a commit that gets a slot. `marker` is what was read of its key's marker.
    pub(super) fn put(&mut self, commit: &Commit, slot: Slot, marker: Option<ChangesetId>) {
        let key = commit.client_key();
        let marker = key.map(|key| (key, slot.changeset_id, marker));
        self.markers.extend(marker);
        let changeset = commit.clone().into_changeset(slot, None);
        self.changesets.push(changeset);
    }

    /// Adds the changeset that must not follow what a check expects; `None` if the stream has no ids
    /// left for it.
    pub(super) fn check(&mut self, absent: Option<ChangesetKey>) {
        self.absent.extend(absent);
    }

    /// The actions of the transaction: first the changesets, in their order. They are at most 100, as
    /// many as DynamoDB takes: a set has at most 25 commits and 50 checks.
    pub(super) fn actions(&self, tables: &Tables) -> Result<Vec<TransactWriteItem>, StorageError> {
        let changesets = self.changesets.iter().map(|one| tables.put_changeset(one));
        let markers = self.markers.iter().map(|(key, slot, marker)| {
            let guard = match marker {
                None => Guard::AbsentOrNumber(CHANGESET_ID, slot.get()),
                Some(marker) => Guard::Number(CHANGESET_ID, marker.get()),
            };
            tables.put_guarded(guard, marker_item(key, *slot))
        });
        let absent = self.absent.iter().map(|key| tables.check_absent(key));
        changesets.chain(markers).chain(absent).collect()
    }
}
