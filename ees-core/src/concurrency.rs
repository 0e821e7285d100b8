//! Optimistic concurrency: the one rule that decides whether a commit succeeds.

use crate::changeset::{Changeset, Head, Receipt, Slot};
use crate::{ChangesetId, EventId};

/// The expected version: the end of the stream that a caller has seen. 0 means that the stream does not
/// exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Expectation {
    /// The stream's last changeset has this number.
    LastChangeset(u64),
    /// The stream's last event has this number.
    LastEvent(u64),
}

/// The decision on a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The expectation holds: the commit gets these ids.
    Append(Slot),
    /// The commit is refused.
    Refuse(Refusal),
}

/// Why a commit is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The commit's key is a client's and stands in this changeset of the stream already, whatever
    /// the commit expects. The use case compares the content.
    KeyStands(ChangesetId),
    /// The stream has changesets beyond the expectation. The first of them may be an earlier try of
    /// the same commit: the use case compares commit ids.
    Outdated,
    /// The stream ends before the expectation. This is its end; `None` if it does not exist.
    Ahead(Option<Head>),
    /// The stream has no ids left.
    Full,
}

impl Verdict {
    /// The refusal; `None` if the commit is not refused.
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Refuse(refusal) => Some(*refusal),
            Self::Append(_) => None,
        }
    }

    /// The ids that the commit gets; `None` if it is refused.
    pub fn slot(self) -> Option<Slot> {
        match self {
            Self::Append(slot) => Some(slot),
            Self::Refuse(_) => None,
        }
    }
}

impl Expectation {
    /// The stream does not exist yet.
    pub const NEW_STREAM: Self = Self::LastChangeset(0);

    /// Decides on a commit. The rule is the same for every storage.
    ///
    /// ```
    /// use ees_core::Expectation;
    /// use ees_core::adapter::{Refusal, Verdict};
    /// let verdict = Expectation::LastChangeset(3).judge(None, 1);
    /// assert_eq!(verdict, Verdict::Refuse(Refusal::Ahead(None)));
    /// ```
    pub fn judge(self, head: Option<&Head>, new_events: u64) -> Verdict {
        if let Some(refusal) = self.check(head) {
            return Verdict::Refuse(refusal);
        }
        let (changesets, events) = ends(head);
        next_slot(changesets, events, new_events)
            .map_or(Verdict::Refuse(Refusal::Full), Verdict::Append)
    }

    /// Why the expectation does not hold; `None` if it does. The rule is that of
    /// [`Expectation::judge`].
    pub fn check(self, head: Option<&Head>) -> Option<Refusal> {
        let (changesets, events) = ends(head);
        let (expected, actual) = match self {
            Self::LastChangeset(expected) => (expected, changesets),
            Self::LastEvent(expected) => (expected, events),
        };
        match expected.cmp(&actual) {
            std::cmp::Ordering::Less => Some(Refusal::Outdated),
            std::cmp::Ordering::Greater => Some(Refusal::Ahead(head.copied())),
            std::cmp::Ordering::Equal => None,
        }
    }
}

impl From<&Head> for Expectation {
    /// The stream still ends as it did.
    fn from(head: &Head) -> Self {
        Self::LastChangeset(head.last_changeset.get())
    }
}

impl From<&Receipt> for Expectation {
    /// The commit is still the stream's last.
    fn from(receipt: &Receipt) -> Self {
        Self::LastChangeset(receipt.changeset_id.get())
    }
}

impl From<&Changeset> for Expectation {
    /// The changeset is still the stream's last.
    fn from(changeset: &Changeset) -> Self {
        Self::LastChangeset(changeset.changeset_id.get())
    }
}

impl std::fmt::Display for Expectation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::LastChangeset(0) | Self::LastEvent(0) => {
                f.write_str("a new stream (0, or no expectation)")
            }
            Self::LastChangeset(last) => write!(f, "last changeset {last}"),
            Self::LastEvent(last) => write!(f, "last event {last}"),
        }
    }
}

/// The last changeset and the last event of a stream; 0 if it does not exist.
fn ends(head: Option<&Head>) -> (u64, u64) {
    head.map_or((0, 0), |head| {
        (head.last_changeset.get(), head.last_event.get())
    })
}

fn next_slot(changesets: u64, events: u64, new_events: u64) -> Option<Slot> {
    Some(Slot {
        changeset_id: ChangesetId::new(changesets.checked_add(1)?).ok()?,
        first_event_id: EventId::new(events.checked_add(1)?).ok()?,
        last_event_id: EventId::new(events.checked_add(new_events)?).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;
    use crate::number::MAX_ID;
    use proptest::prelude::*;

    fn head(last_changeset: u64, last_event: u64) -> Head {
        Head {
            last_changeset: ChangesetId::new(last_changeset).unwrap(),
            last_event: EventId::new(last_event).unwrap(),
            last_timestamp: Timestamp::from_micros(0).unwrap(),
        }
    }

    /// A stream as the sizes of its changesets.
    fn head_of(sizes: &[u64]) -> Option<Head> {
        let last = sizes.len() as u64;
        (last > 0).then(|| head(last, sizes.iter().sum()))
    }

    fn expectation() -> impl Strategy<Value = Expectation> {
        let number = prop_oneof![0..12_u64, 0..=MAX_ID];
        prop_oneof![
            number.clone().prop_map(Expectation::LastChangeset),
            number.prop_map(Expectation::LastEvent),
        ]
    }

    proptest! {
        /// The rule in other words: a commit is appended if the expectation names the very end, is
        /// outdated if a changeset or event follows it, and is ahead otherwise.
        #[test]
        fn the_rule_agrees_with_its_definition(
            sizes in prop::collection::vec(1..4_u64, 0..5),
            expectation in expectation(),
            new_events in 1..5_u64,
        ) {
            let events: u64 = sizes.iter().sum();
            let changesets = sizes.len() as u64;
            let holds = match expectation {
                Expectation::LastChangeset(n) => n == changesets,
                Expectation::LastEvent(n) => n == events,
            };
            let something_beyond = match expectation {
                Expectation::LastChangeset(n) => (1..=changesets).any(|id| id > n),
                Expectation::LastEvent(n) => (1..=events).any(|id| id > n),
            };
            let verdict = expectation.judge(head_of(&sizes).as_ref(), new_events);
            match verdict {
                Verdict::Append(slot) => {
                    prop_assert!(holds);
                    prop_assert_eq!(slot.changeset_id.get(), changesets + 1);
                    prop_assert_eq!(slot.first_event_id.get(), events + 1);
                    prop_assert_eq!(slot.last_event_id.get(), events + new_events);
                }
                Verdict::Refuse(Refusal::Outdated) => prop_assert!(!holds && something_beyond),
                Verdict::Refuse(Refusal::Ahead(head)) => {
                    prop_assert!(!holds && !something_beyond);
                    prop_assert_eq!(head, head_of(&sizes));
                }
                Verdict::Refuse(Refusal::Full) => prop_assert!(false, "far from full"),
                Verdict::Refuse(Refusal::KeyStands(_)) => {
                    prop_assert!(false, "an expectation knows no key");
                }
            }
        }

        /// Of any two commits with one expectation only the first can succeed.
        #[test]
        fn an_expectation_holds_once(
            sizes in prop::collection::vec(1..4_u64, 0..5),
            expectation in expectation(),
            new_events in 1..5_u64,
        ) {
            if let Verdict::Append(slot) = expectation.judge(head_of(&sizes).as_ref(), new_events) {
                let moved = head(slot.changeset_id.get(), slot.last_event_id.get());
                let verdict = expectation.judge(Some(&moved), new_events);
                prop_assert_eq!(verdict, Verdict::Refuse(Refusal::Outdated));
            }
        }
    }

    #[test]
    fn a_stream_ends_at_the_largest_id() {
        let full = Verdict::Refuse(Refusal::Full);
        let head = head(7, MAX_ID - 1);
        assert_eq!(Expectation::LastChangeset(7).judge(Some(&head), 2), full);
        assert!(matches!(
            Expectation::LastChangeset(7).judge(Some(&head), 1),
            Verdict::Append(_)
        ));
        assert_eq!(Expectation::NEW_STREAM.judge(None, u64::MAX), full);
    }
}
