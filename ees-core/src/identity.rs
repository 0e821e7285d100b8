//! The identity of a store: which sequence of changesets its checkpoints belong to.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Checkpoint, StorageError};

/// The most former ids that a store remembers. The oldest ones are forgotten first.
const MAX_FORMER: usize = 100;

/// The id of a store: a UUID. Two stores never have the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct StoreId(Uuid);

/// A text that is not the id of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the id of a store is a UUID, as 0f3c9a52-7d1e-4b68-9c05-2a6f81d3b7e4")]
pub struct StoreIdError;

impl StoreId {
    /// A new id.
    pub fn generate() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for StoreId {
    type Err = StoreIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::try_parse(text).map(Self).map_err(|_| StoreIdError)
    }
}

impl From<StoreId> for String {
    fn from(id: StoreId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for StoreId {
    type Error = StoreIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// An id that a store had before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerId {
    /// The id.
    pub id: StoreId,
    /// The head of the global order when the store got its next id. Below it, the store with the
    /// former id has the same changesets.
    pub head: Checkpoint,
}

/// The identity of a store: its id, and the ids that it had before.
///
/// A store keeps its id for as long as its global order only grows. When it is restored from a copy,
/// other changesets get the checkpoints after the copy's end, so it gets another id.
///
/// ```
/// use ees_core::{Checkpoint, Identity};
/// let before = Identity::generate(None);
/// let after = before.renewed(Checkpoint::new(20)?, None);
/// assert_eq!(after.same_below(before.id), Some(Checkpoint::new(20)?));
/// assert_eq!(before.same_below(after.id), None);
/// # Ok::<(), ees_core::OutOfRange>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Identity {
    /// The id.
    pub id: StoreId,
    /// The ids before it, oldest first.
    pub former: Vec<FormerId>,
    /// The [`identity_place`](crate::adapter::Storage::identity_place) at which the id was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

impl Identity {
    /// The identity of a new store.
    pub fn generate(place: Option<String>) -> Self {
        Self {
            id: StoreId::generate(),
            former: Vec::new(),
            place,
        }
    }

    /// The next identity of this store, whose global order ends at `head` now.
    #[must_use]
    pub fn renewed(&self, head: Checkpoint, place: Option<String>) -> Self {
        let mut former = self.former.clone();
        former.push(FormerId { id: self.id, head });
        let excess = former.len().saturating_sub(MAX_FORMER);
        former.drain(..excess);
        Self {
            former,
            ..Self::generate(place)
        }
    }

    /// The next identity of this store, a copy that ends at `head` and replaces the store with the
    /// other identity. It also remembers that store's id, if the copy is an earlier state of it.
    #[must_use]
    pub fn replacing(&self, replaced: Option<&Self>, head: Checkpoint) -> Self {
        let Some((id, below)) = replaced.and_then(|replaced| {
            let below = replaced.same_below(self.id)?;
            Some((replaced.id, below))
        }) else {
            return self.renewed(head, self.place.clone());
        };
        let mut before = self.clone();
        before.former.push(FormerId {
            id,
            head: head.min(below),
        });
        before.renewed(head, self.place.clone())
    }

    /// The same identity of a store that has all changesets of another one below a checkpoint: it also
    /// remembers the other store's id, and the ids that the other store had before.
    #[must_use]
    pub fn copied_from(&self, source: &Self, below: Checkpoint) -> Self {
        if self.id == source.id {
            return self.clone();
        }
        let theirs = source.former.iter().map(|former| FormerId {
            head: former.head.min(below),
            ..*former
        });
        let mut theirs: Vec<_> = theirs.filter(|former| former.id != self.id).collect();
        theirs.push(FormerId {
            id: source.id,
            head: below,
        });
        let is_theirs = |id| theirs.iter().any(|former| former.id == id);
        let ours = self.former.iter().filter(|former| !is_theirs(former.id));
        let mut former: Vec<_> = ours.copied().chain(theirs.iter().copied()).collect();
        let excess = former.len().saturating_sub(MAX_FORMER);
        former.drain(..excess);
        Self {
            former,
            ..self.clone()
        }
    }

    /// The checkpoint below which this store has the same changesets as the store with another id;
    /// `None` if that id is not one of its former ids.
    pub fn same_below(&self, other: StoreId) -> Option<Checkpoint> {
        let first = self.former.iter().position(|former| former.id == other)?;
        let since = self.former.iter().skip(first);
        since.map(|former| former.head).min()
    }

    /// The text that an adapter stores: JSON.
    pub fn to_text(&self) -> String {
        // Plain data, which always serialises.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads the text that an adapter stored.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] if it is not such a text.
    pub fn of_text(text: &str) -> Result<Self, StorageError> {
        serde_json::from_str(text).map_err(|error| {
            StorageError::Corrupt(format!("the store's identity cannot be read: {error}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(number: u64) -> Checkpoint {
        Checkpoint::new(number).unwrap()
    }

    #[test]
    fn a_later_cut_that_is_deeper_counts_for_all_ids_before_it() {
        let first = Identity::generate(None);
        let second = first.renewed(at(20), None);
        let third = second.renewed(at(5), None);
        let fourth = third.renewed(at(9), None);
        assert_eq!(fourth.same_below(first.id), Some(at(5)));
        assert_eq!(fourth.same_below(second.id), Some(at(5)));
        assert_eq!(fourth.same_below(third.id), Some(at(9)));
        assert_eq!(fourth.same_below(fourth.id), None);
    }

    #[test]
    fn the_replaced_store_is_remembered_if_the_copy_is_its_earlier_state() {
        let copy = Identity::generate(None);
        let replaced = copy.renewed(at(20), None);
        let next = copy.replacing(Some(&replaced), at(30));
        assert_eq!(next.same_below(replaced.id), Some(at(20)));
        assert_eq!(next.same_below(copy.id), Some(at(30)));
        let stranger = Identity::generate(None);
        let next = copy.replacing(Some(&stranger), at(30));
        assert_eq!(next.same_below(stranger.id), None);
        assert_eq!(next.same_below(copy.id), Some(at(30)));
    }

    #[test]
    fn a_copy_remembers_its_source_and_goes_on_with_it() {
        let older = Identity::generate(None);
        let source = older.renewed(at(20), None);
        let copy = Identity::generate(None).renewed(at(7), None);
        let before = copy.former[0].id;
        for below in [30, 50] {
            let copy = copy
                .copied_from(&source, at(25))
                .copied_from(&source, at(below));
            assert_eq!(copy.same_below(source.id), Some(at(below)));
            assert_eq!(copy.same_below(older.id), Some(at(20)));
            assert_eq!(copy.same_below(before), Some(at(7)));
            assert_eq!(copy.former.len(), 3);
        }
        assert_eq!(source.copied_from(&source, at(30)), source);
        let back = source.copied_from(&copy.copied_from(&source, at(30)), at(40));
        assert_eq!(back.same_below(copy.id), Some(at(40)));
        assert_eq!(back.same_below(source.id), None);
    }

    #[test]
    fn the_number_of_former_ids_is_limited() {
        let mut identity = Identity::generate(None);
        let first = identity.id;
        for _ in 0..MAX_FORMER {
            identity = identity.renewed(at(1), None);
        }
        assert_eq!(identity.same_below(first), Some(at(1)));
        identity = identity.renewed(at(1), None);
        assert_eq!(identity.same_below(first), None);
        assert_eq!(identity.former.len(), MAX_FORMER);
    }

    #[test]
    fn the_stored_text_is_read_back() {
        let place = Some("a table".to_owned());
        let identity = Identity::generate(place.clone()).renewed(at(7), place);
        let text = identity.to_text();
        assert_eq!(Identity::of_text(&text).unwrap(), identity);
        assert!(Identity::of_text("{}").is_err());
    }
}
