//! A batch that is being published.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use ees_core::Changeset;
use ees_core::adapter::{ChangesetKey, PublishError, Publisher};
use ees_core::publication::Publication;
use ees_dynamodb::CommitRecord;

use crate::batch::Record;

/// A batch that is being published.
pub(super) struct Attempt {
    pub(super) publication: Publication,
    /// The index of each changeset's record.
    places: HashMap<ChangesetKey, usize>,
    /// The records that can never be published as they are: unreadable or refused.
    pub(super) refused: BTreeSet<usize>,
}

impl Attempt {
    pub(super) fn new(publisher: Arc<dyn Publisher>, records: &[Record]) -> Self {
        let mut attempt = Self {
            publication: Publication::new(publisher),
            places: HashMap::new(),
            refused: BTreeSet::new(),
        };
        for (place, record) in records.iter().enumerate() {
            match record.commit.as_ref().map(CommitRecord::changeset) {
                Some(Ok(changeset)) => {
                    attempt.places.entry(key(&changeset)).or_insert(place);
                    attempt.publication.add(changeset);
                }
                Some(Err(error)) => {
                    tracing::error!(%error, "an item of the events table cannot be published");
                    attempt.refused.insert(place);
                }
                None => {}
            }
        }
        attempt
    }

    /// Logs the failures of the last run.
    pub(super) fn log(&self) {
        for failure in self.publication.failures() {
            tracing::error!("{failure}");
        }
    }

    /// Takes the refused changesets out of the publication, so that the later ones of their streams
    /// go on. Returns whether there were any.
    pub(super) fn take_refused(&mut self) -> bool {
        let failures = self.publication.failures();
        let refused = failures.filter(|it| matches!(it.error, PublishError::Refused { .. }));
        let refused: BTreeSet<_> = refused.map(|failure| failure.key).collect();
        for key in &refused {
            self.refused.extend(self.places.get(key));
            self.publication.set_aside(key);
        }
        !refused.is_empty()
    }

    /// Takes the changeset of a record out of the publication.
    pub(super) fn take(&mut self, place: usize) {
        let found = self.places.iter().find(|(_, at)| **at == place);
        if let Some((key, _)) = found {
            self.publication.set_aside(key);
            self.refused.insert(place);
        }
    }

    /// The indexes of the records that are neither completely published nor set aside.
    pub(super) fn unpublished(&self) -> BTreeSet<usize> {
        let left = self.publication.unpublished();
        let left = left.filter_map(|changeset| self.places.get(&key(changeset)));
        self.refused.iter().chain(left).copied().collect()
    }
}

fn key(changeset: &Changeset) -> ChangesetKey {
    ChangesetKey {
        stream_id: changeset.stream_id.clone(),
        changeset_id: changeset.changeset_id,
    }
}
