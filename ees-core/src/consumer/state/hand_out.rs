//! Handing out a batch, and giving it back.

use super::batch::{Batch, BatchKind, Found, Work};
use super::{PartitionState, RETRIES_IN_A_ROW};
use crate::{ChangesetId, Checkpoint, StreamId, Timestamp};

impl PartitionState {
    /// What to look for, in this order: the second only if there is none of the first.
    ///
    /// A parked stream whose time has come goes first, but a live batch follows after two of them.
    pub fn work(&self, now: Timestamp) -> Vec<Work> {
        let due = self.parked.values().filter(|parked| parked.is_due(now));
        let due = due.min_by_key(|parked| parked.next_try);
        let retry = due.map(|p| Work::Retry(p.stream_id.clone(), p.from_changeset));
        let waits = self.stopped.as_ref().is_some_and(|s| !s.is_due(now));
        let live = (!waits).then_some(Work::Live);
        if self.retries < RETRIES_IN_A_ROW {
            retry.into_iter().chain(live).collect()
        } else {
            live.into_iter().chain(retry).collect()
        }
    }

    /// The earliest time at which a parked stream is to be tried.
    pub fn next_try(&self) -> Option<Timestamp> {
        let parked = self.parked.values().chain(&self.stopped);
        parked.filter_map(|parked| parked.next_try).min()
    }

    /// Hands out what was found as the next batch, and returns its generation. It ends the batch that
    /// was out. `after` is the generation whose acknowledgement asked for it.
    ///
    /// If nothing was found for the consumer, nothing is handed out and the state moves past what was
    /// looked at.
    pub fn take(
        &mut self,
        found: &Found,
        worker: &str,
        after: Option<u64>,
        now: Timestamp,
    ) -> Option<u64> {
        self.batch = None;
        if found.changesets.is_empty() {
            self.pass(found, now);
            return None;
        }
        self.generation = self.next_generation(now);
        self.served = now.as_micros();
        self.retries = match found.kind {
            BatchKind::Live => 0,
            BatchKind::Retry { .. } => (self.retries + 1).min(RETRIES_IN_A_ROW),
        };
        self.batch = Some(Batch {
            generation: self.generation,
            after,
            kind: found.kind.clone(),
            start: found.start,
            next: found.next,
            worker: worker.to_owned(),
            leased_at: now,
        });
        Some(self.generation)
    }

    fn pass(&mut self, found: &Found, now: Timestamp) {
        match &found.kind {
            BatchKind::Live if found.next > self.checkpoint => {
                self.checkpoint = found.next;
                self.retries = 0;
            }
            BatchKind::Live => {}
            BatchKind::Retry {
                stream_id,
                next_changeset,
                reached_end,
            } => self.move_parked(stream_id, *next_changeset, found.next, *reached_end, now),
        }
    }

    /// A parked stream is handled up to this changeset.
    pub(super) fn move_parked(
        &mut self,
        stream_id: &StreamId,
        from: ChangesetId,
        position: Checkpoint,
        reached_end: bool,
        now: Timestamp,
    ) {
        if reached_end {
            self.remove(stream_id);
        } else if let Some(parked) = self.parked.get_mut(stream_id) {
            parked.go_on(from, position, now);
        }
    }

    /// Gives a batch back. Its changesets will be handed out again.
    ///
    /// # Errors
    /// The present generation, if the batch is not out.
    pub fn release(&mut self, generation: u64) -> Result<(), u64> {
        match &self.batch {
            Some(batch) if batch.generation == generation => {
                self.batch = None;
                Ok(())
            }
            _ => Err(self.generation),
        }
    }
}
