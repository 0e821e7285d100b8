//! Where the events of large changesets are in their texts.
//!
//! A page of events may begin inside a changeset. To find that place in a text of JSON, the text is
//! walked over. What a walk finds is remembered, so that paging through a large changeset does not walk
//! over its front again for each page.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::payload::Elements;
use crate::{Changeset, ChangesetId, CommitId, Event, StreamId};

/// The place of each such event is remembered.
const STRIDE: u64 = 1024;

/// How many changesets are remembered: those that were met last.
const CHANGESETS: usize = 64;

/// The places in large changesets.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<VecDeque<Known>>);

/// What is known of a changeset, which never changes.
#[derive(Debug)]
struct Known {
    of: Identity,
    /// How many bytes are left at each event whose index is a multiple of the stride, from the second.
    left: Vec<usize>,
}

/// Says which changeset it is, also after the store was replaced by another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Identity {
    stream_id: StreamId,
    changeset_id: ChangesetId,
    commit_id: CommitId,
    bytes: usize,
}

/// The events of a changeset from an index on, up to another one.
pub(super) struct Walk<'a> {
    changeset: &'a Changeset,
    rest: Elements<'a>,
    index: u64,
    end: u64,
    /// How many events were walked over to find the first one.
    #[cfg(test)]
    skipped: u64,
}

impl Places {
    /// The events of a changeset from an index on.
    pub(super) fn walk<'a>(&self, changeset: &'a Changeset, from: u64) -> Walk<'a> {
        if from < STRIDE {
            return Walk::over(
                changeset,
                changeset.events.elements(None),
                0,
                from,
                |_, _| {},
            );
        }
        let of = Identity::of(changeset);
        let mut left = self.take(&of).unwrap_or_default();
        let nearest = usize::try_from(from / STRIDE).unwrap_or(usize::MAX);
        let nearest = nearest.min(left.len());
        let begin = nearest.checked_sub(1).and_then(|at| left.get(at).copied());
        let rest = changeset.events.elements(begin);
        let walk = Walk::over(
            changeset,
            rest,
            nearest as u64 * STRIDE,
            from,
            |index, rest| {
                if index == (left.len() as u64 + 1) * STRIDE {
                    left.push(rest);
                }
            },
        );
        self.keep(Known { of, left });
        walk
    }

    /// The events of a changeset before an index, the last one first.
    pub(super) fn walk_back<'a>(
        &'a self,
        changeset: &'a Changeset,
        before: u64,
    ) -> impl Iterator<Item = Event> + use<'a> {
        let mut end = before.min(changeset.events.count());
        let pieces = std::iter::from_fn(move || {
            let piece = self.piece_before(changeset, end)?;
            end = piece.index;
            let events: Vec<Event> = piece.collect();
            Some(events.into_iter().rev())
        });
        pieces.flatten()
    }

    /// The events from the nearest remembered place before an index up to there.
    fn piece_before<'a>(&self, changeset: &'a Changeset, end: u64) -> Option<Walk<'a>> {
        let from = end.checked_sub(1)? / STRIDE * STRIDE;
        let walk = self.walk(changeset, from);
        Some(Walk { end, ..walk })
    }

    fn take(&self, of: &Identity) -> Option<Vec<usize>> {
        let mut known = self.lock();
        let at = known.iter().position(|known| known.of == *of)?;
        known.remove(at).map(|known| known.left)
    }

    fn keep(&self, new: Known) {
        let mut known = self.lock();
        // Another reader may have walked at the same time.
        known.retain(|known| known.of != new.of);
        known.truncate(CHANGESETS - 1);
        known.push_front(new);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Identity {
    fn of(changeset: &Changeset) -> Self {
        Self {
            stream_id: changeset.stream_id.clone(),
            changeset_id: changeset.changeset_id,
            commit_id: changeset.commit_id.clone(),
            bytes: changeset.events.as_str().len(),
        }
    }
}

impl<'a> Walk<'a> {
    /// Walks from the event that `rest` begins with to the first one. Tells each index on the way and
    /// how many bytes are left there.
    fn over(
        changeset: &'a Changeset,
        mut rest: Elements<'a>,
        begin: u64,
        from: u64,
        mut tell: impl FnMut(u64, usize),
    ) -> Self {
        let mut index = begin;
        while index < from && rest.next().is_some() {
            index += 1;
            tell(index, rest.left());
        }
        Self {
            changeset,
            rest,
            index,
            end: u64::MAX,
            #[cfg(test)]
            skipped: index - begin,
        }
    }
}

impl Iterator for Walk<'_> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        if self.index == self.end {
            return None;
        }
        let event = self.changeset.event(self.index, self.rest.next()?);
        self.index += 1;
        event
    }
}

#[cfg(test)]
mod tests;
