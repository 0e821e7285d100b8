//! Looking for the next batch of a partition, without I/O: the caller reads, the look selects.

use super::state::{BatchKind, Found, PartitionState, Work, following};
use super::{ConsumerDefinition, partition_of};
use crate::adapter::PageBuilder;
use crate::{Changeset, ChangesetId, Checkpoint, Filter, PageLimit, StreamId};

/// The changesets of one partition of a consumer.
#[derive(Debug, Clone)]
pub struct Share {
    filter: Filter,
    partition: u16,
    partitions: u16,
}

impl Share {
    /// The share of a partition.
    pub fn new(definition: &ConsumerDefinition, partition: u16) -> Self {
        Self {
            filter: definition.filter(),
            partition,
            partitions: definition.partitions,
        }
    }

    /// What the consumer's filter selects, in all its partitions.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Whether a changeset belongs to the share.
    pub fn holds(&self, changeset: &Changeset) -> bool {
        (self.partitions == 1
            || partition_of(&changeset.stream_id, self.partitions) == self.partition)
            && self.filter.matches(changeset)
    }
}

/// A look at the global order from a partition's checkpoint on.
#[derive(Debug)]
pub struct LiveLook<'a> {
    state: &'a PartitionState,
    share: &'a Share,
    /// The end of the batch that is read again.
    until: Option<Checkpoint>,
    /// How many more changesets of streams that catch up may be passed by.
    may_pass: usize,
    start: Checkpoint,
    next: Checkpoint,
    page: PageBuilder<Changeset>,
}

impl<'a> LiveLook<'a> {
    /// A look for a batch of at most so many changesets. It begins at `from`, up to where an earlier
    /// look has found nothing.
    pub fn new(
        state: &'a PartitionState,
        share: &'a Share,
        from: Checkpoint,
        limit: PageLimit,
    ) -> Self {
        Self {
            state,
            share,
            until: None,
            may_pass: limit.items.max(1),
            start: state.checkpoint(),
            next: from.max(state.checkpoint()),
            page: PageBuilder::new(limit),
        }
    }

    /// The look that finds the batch again that is out.
    pub fn again(state: &'a PartitionState, share: &'a Share) -> Self {
        let any = PageLimit {
            items: usize::MAX,
            bytes: usize::MAX,
        };
        Self {
            until: Some(state.batch().map_or(state.checkpoint(), |batch| batch.next)),
            ..Self::new(state, share, state.checkpoint(), any)
        }
    }

    /// The position to read on from.
    pub fn next(&self) -> Checkpoint {
        self.next
    }

    /// How many more changesets may belong to the batch.
    pub fn room(&self) -> usize {
        self.page.room()
    }

    /// Whether what was found is enough, although there was room for more. A batch that is read again
    /// must be whole.
    pub fn may_end(&self) -> bool {
        self.until.is_none() && !self.page.is_empty()
    }

    /// Looks at the next changesets of the global order, up to `next`. Returns whether to read on.
    pub fn look(&mut self, changesets: Vec<Changeset>, next: Checkpoint) -> bool {
        for changeset in changesets {
            let position = changeset.checkpoint.unwrap_or(self.next);
            if self.until.is_some_and(|until| position >= until) {
                return false;
            }
            if !self.push(changeset) {
                return false;
            }
            self.next = position.plus(1);
        }
        self.next = self.next.max(next);
        if let Some(until) = self.until {
            return self.next < until;
        }
        !self.page.is_full()
    }

    fn push(&mut self, changeset: Changeset) -> bool {
        if !self.share.holds(&changeset) {
            return true;
        }
        match self.state.parked_entry(&changeset.stream_id) {
            None => self.page.push_changeset(changeset),
            Some(parked) if parked.catching_up && self.until.is_none() => {
                let pass = self.may_pass > 0;
                self.may_pass = self.may_pass.saturating_sub(1);
                pass
            }
            Some(_) => true,
        }
    }

    /// What was found.
    pub fn finish(self) -> Found {
        Found {
            kind: BatchKind::Live,
            start: self.start,
            next: self.until.unwrap_or(self.next),
            changesets: self.page.finish().items,
        }
    }
}

/// A look at a parked stream, from its first changeset that is not handled to the partition's
/// checkpoint.
#[derive(Debug)]
pub struct RetryLook<'a> {
    share: &'a Share,
    stream_id: StreamId,
    below: Checkpoint,
    next_changeset: ChangesetId,
    next: Checkpoint,
    reached_end: bool,
    page: PageBuilder<Changeset>,
}

impl<'a> RetryLook<'a> {
    /// A look for a batch of at most so many changesets.
    pub fn new(
        state: &PartitionState,
        share: &'a Share,
        stream_id: StreamId,
        from: ChangesetId,
        limit: PageLimit,
    ) -> Self {
        let parked = state.parked_entry(&stream_id);
        Self {
            share,
            below: state.checkpoint(),
            next_changeset: from,
            next: parked.map_or(Checkpoint::FIRST, |parked| parked.position),
            reached_end: false,
            page: PageBuilder::new(limit),
            stream_id,
        }
    }

    /// The look that finds the batch again that is out, if it is a retry.
    pub fn again(state: &PartitionState, share: &'a Share) -> Option<Self> {
        let batch = state.batch()?;
        let BatchKind::Retry { stream_id, .. } = &batch.kind else {
            return None;
        };
        let from = state.parked_entry(stream_id)?.from_changeset;
        let any = PageLimit {
            items: usize::MAX,
            bytes: usize::MAX,
        };
        let mut look = Self::new(state, share, stream_id.clone(), from, any);
        look.below = batch.next;
        Some(look)
    }

    /// The stream.
    pub fn stream_id(&self) -> &StreamId {
        &self.stream_id
    }

    /// The changeset id to read on from.
    pub fn next(&self) -> ChangesetId {
        self.next_changeset
    }

    /// Looks at the next changesets of the stream. `more`: whether the stream has more after them.
    /// Returns whether to read on.
    pub fn look(&mut self, changesets: Vec<Changeset>, more: bool) -> bool {
        for changeset in changesets {
            let place = changeset.checkpoint;
            let Some(place) = place.filter(|place| *place < self.below) else {
                self.reached_end = true;
                return false;
            };
            let id = changeset.changeset_id;
            if self.share.holds(&changeset) && !self.page.push_changeset(changeset) {
                return false;
            }
            self.next_changeset = following(id);
            self.next = place.plus(1);
        }
        self.reached_end = !more;
        more && !self.page.is_full()
    }

    /// What was found.
    pub fn finish(self) -> Found {
        let changesets = self.page.finish().items;
        let first = changesets.first().and_then(|first| first.checkpoint);
        let (reached_end, stream_id) = (self.reached_end, self.stream_id);
        Found {
            kind: BatchKind::Retry {
                stream_id,
                next_changeset: self.next_changeset,
                reached_end,
            },
            start: first.unwrap_or(self.next),
            next: self.next,
            changesets,
        }
    }
}

/// Selects the next batch of a partition from data that is in memory: for tests and models. `order`
/// is the whole global order.
pub fn look_in(
    state: &PartitionState,
    share: &Share,
    work: &Work,
    order: &[Changeset],
    limit: PageLimit,
) -> Found {
    match work {
        Work::Live => {
            let mut look = LiveLook::new(state, share, state.checkpoint(), limit);
            look.look(
                from(order, look.next()),
                Checkpoint::FIRST.plus(order.len() as u64),
            );
            look.finish()
        }
        Work::Retry(stream_id, id) => {
            let mut look = RetryLook::new(state, share, stream_id.clone(), *id, limit);
            look.look(of_stream(order, stream_id, *id), false);
            look.finish()
        }
    }
}

/// Finds the batch again that is out, in data that is in memory.
pub fn look_again_in(state: &PartitionState, share: &Share, order: &[Changeset]) -> Found {
    if let Some(mut look) = RetryLook::again(state, share) {
        look.look(of_stream(order, look.stream_id(), look.next()), false);
        return look.finish();
    }
    let mut look = LiveLook::again(state, share);
    look.look(
        from(order, look.next()),
        Checkpoint::FIRST.plus(order.len() as u64),
    );
    look.finish()
}

fn from(order: &[Changeset], first: Checkpoint) -> Vec<Changeset> {
    let later = order.iter().filter(|c| c.checkpoint >= Some(first));
    later.cloned().collect()
}

fn of_stream(order: &[Changeset], stream_id: &StreamId, first: ChangesetId) -> Vec<Changeset> {
    let of = |c: &&Changeset| c.stream_id == *stream_id && c.changeset_id >= first;
    order.iter().filter(of).cloned().collect()
}
