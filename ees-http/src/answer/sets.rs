//! What is answered to a set of commits.

use ees_core::{Receipt, Unmet};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ChangesetItem, Committed};

/// The answer to a set of commits.
#[derive(Serialize, ToSchema)]
pub(crate) struct CommittedSet<'a> {
    /// The changesets that are committed, in the order of the request.
    pub(crate) commits: Vec<Committed<'a>>,
}

impl<'a> CommittedSet<'a> {
    pub(crate) fn new(receipts: &'a [Receipt], details: bool) -> Self {
        let commits = receipts.iter();
        Self {
            commits: commits
                .map(|receipt| Committed::new(receipt, details))
                .collect(),
        }
    }
}

/// A commit or a check of a set that does not hold.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct UnmetItem<'a> {
    /// The stream.
    stream_id: &'a str,
    /// The id of the stream's last changeset; 0 if there is none.
    last_changeset: u64,
    /// The id of the stream's last event; 0 if there is none.
    last_event: u64,
    /// The changesets that hold something after the expectation, oldest first, as far as the answer has
    /// room. Absent if there is no room for any, and for a key that may not read the stream.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    forthcoming_changesets: Vec<ChangesetItem<'a>>,
    /// If more of them remain: the `from` of the next page of the stream's changesets.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
}

impl<'a> UnmetItem<'a> {
    pub(crate) fn new(unmet: &'a Unmet, details: bool, hidden: bool) -> Self {
        let (last_changeset, last_event) = unmet.head.map_or((0, 0), |head| {
            (head.last_changeset.get(), head.last_event.get())
        });
        let missed = unmet.forthcoming.items.iter();
        let missed = missed.map(|changeset| ChangesetItem::of_conflict(changeset, details));
        Self {
            stream_id: unmet.stream_id.as_str(),
            last_changeset,
            last_event,
            forthcoming_changesets: if hidden { Vec::new() } else { missed.collect() },
            next: unmet.next().filter(|_| !hidden),
        }
    }
}
