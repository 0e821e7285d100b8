//! Acknowledgements.

use std::collections::BTreeMap;
use std::time::Duration;

use super::batch::{Batch, BatchKind};
use super::parked::{cut, next_try};
use super::{MAX_PARKED_CHANGES, Parked, PartitionState, place};
use crate::consumer::{ConsumerDefinition, OnFailure};
use crate::{Changeset, ChangesetId, Checkpoint, StreamId, Timestamp};

/// The shortest pause of a partition that has stopped: it is tried for ever.
const LEAST_STOP: Duration = Duration::from_secs(1);

/// What a worker did with a batch.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Ack {
    /// The generation of the batch.
    pub generation: u64,
    /// The first position that is not handled.
    pub checkpoint: Checkpoint,
    /// The changesets before it that could not be handled.
    pub failed: Vec<Failure>,
}

/// A changeset that could not be handled.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Failure {
    /// Its stream.
    pub stream_id: StreamId,
    /// Its number in the stream.
    pub changeset_id: ChangesetId,
    /// Why, for people. The beginning is kept.
    pub error: String,
}

/// An acknowledgement that has no effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AckRefusal {
    /// The batch is not out: it was acknowledged, taken over, or ended by an operator. Holds the
    /// present generation.
    Fenced(u64),
    /// It does not fit the batch.
    Invalid(String),
}

/// The effect of an acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acked {
    /// The batch has ended.
    Now,
    /// It was a repeat: its answer, the batch that is out, is given again.
    Before,
}

impl PartitionState {
    /// What an acknowledgement with this generation would do.
    ///
    /// # Errors
    /// The present generation, if it is fenced.
    pub fn judge(&self, generation: u64) -> Result<Acked, u64> {
        match &self.batch {
            Some(batch) if batch.generation == generation => Ok(Acked::Now),
            Some(batch) if batch.after == Some(generation) => Ok(Acked::Before),
            _ => Err(self.generation),
        }
    }

    /// Whether [`PartitionState::ack`] needs the changesets of the batch.
    pub fn needs_members(&self, ack: &Ack) -> bool {
        let retry = self
            .batch
            .as_ref()
            .is_some_and(|b| b.kind != BatchKind::Live);
        retry || !ack.failed.is_empty()
    }

    /// Acknowledges the batch that is out. `members` are its changesets, by position; they are
    /// needed if [`PartitionState::needs_members`].
    ///
    /// # Errors
    /// [`AckRefusal`]; the state is unchanged.
    pub fn ack(
        &mut self,
        ack: &Ack,
        members: &[Changeset],
        definition: &ConsumerDefinition,
        now: Timestamp,
    ) -> Result<Acked, AckRefusal> {
        let acked = self.judge(ack.generation).map_err(AckRefusal::Fenced)?;
        let Some(batch) = self.batch.clone().filter(|_| acked == Acked::Now) else {
            return Ok(acked);
        };
        let failed = check(ack, &batch, members)?;
        match &batch.kind {
            BatchKind::Live => self.ack_live(ack.checkpoint, failed, definition, now),
            BatchKind::Retry { .. } => self.ack_retry(ack, &batch, members, definition, now),
        }
        self.batch = None;
        Ok(acked)
    }

    /// Parks what failed, by position. The first failure without room holds the checkpoint.
    fn ack_live(
        &mut self,
        checkpoint: Checkpoint,
        failed: BTreeMap<Checkpoint, &Failure>,
        definition: &ConsumerDefinition,
        now: Timestamp,
    ) {
        let before = self.stopped.clone();
        let mut held = None;
        for (count, (position, failure)) in failed.into_iter().enumerate() {
            let slot = self.free_slot();
            let slot = slot.filter(|_| definition.on_failure == OnFailure::Park);
            match slot {
                Some(slot) if count < MAX_PARKED_CHANGES => {
                    self.park(first_failure(slot, failure, position, definition, now));
                }
                slot => {
                    held = Some((position, failure, slot.is_none()));
                    break;
                }
            }
        }
        let start = self.checkpoint;
        self.checkpoint = held.map_or(checkpoint, |(position, ..)| position);
        self.stopped = match held {
            Some((position, failure, true)) => {
                Some(stop(before.as_ref(), failure, position, definition, now))
            }
            None if self.checkpoint == start => before,
            _ => None,
        };
    }

    /// Moves the parked stream to what it has handled.
    fn ack_retry(
        &mut self,
        ack: &Ack,
        batch: &Batch,
        members: &[Changeset],
        definition: &ConsumerDefinition,
        now: Timestamp,
    ) {
        let BatchKind::Retry {
            stream_id,
            next_changeset,
            reached_end,
        } = &batch.kind
        else {
            return;
        };
        let rest = members.iter().find(|c| place(c) >= ack.checkpoint);
        if let Some(failure) = ack.failed.first() {
            let found = members
                .iter()
                .find(|c| c.changeset_id == failure.changeset_id);
            let position = found.map_or(batch.start, place);
            if let Some(parked) = self.parked.get_mut(stream_id) {
                let again = parked.from_changeset == failure.changeset_id && !parked.catching_up;
                parked.attempts = if again { parked.attempts + 1 } else { 1 };
                parked.from_changeset = failure.changeset_id;
                parked.position = position;
                parked.error = cut(&failure.error);
                parked.catching_up = false;
                parked.next_try = next_try(&definition.retry_seconds, parked.attempts, now);
            }
        } else if let Some(rest) = rest {
            let progress = members.first() != Some(rest);
            if let Some(parked) = self.parked.get_mut(stream_id).filter(|_| progress) {
                parked.go_on(rest.changeset_id, place(rest), now);
            }
        } else {
            self.move_parked(stream_id, *next_changeset, batch.next, *reached_end, now);
        }
    }
}

/// The lowest failure of each stream, by position.
fn check<'a>(
    ack: &'a Ack,
    batch: &Batch,
    members: &[Changeset],
) -> Result<BTreeMap<Checkpoint, &'a Failure>, AckRefusal> {
    let invalid = |message: String| Err(AckRefusal::Invalid(message));
    let (start, next) = (batch.start, batch.next);
    if ack.checkpoint < start || ack.checkpoint > next {
        let found = ack.checkpoint;
        return invalid(format!(
            "`checkpoint` is {found}: the batch begins at {start} and ends at {next}"
        ));
    }
    if batch.kind != BatchKind::Live && ack.failed.len() > 1 {
        return invalid("`failed` has more than one changeset: a retry has one stream".into());
    }
    let mut lowest: BTreeMap<&StreamId, (Checkpoint, &Failure)> = BTreeMap::new();
    for failure in &ack.failed {
        let (stream, id) = (&failure.stream_id, failure.changeset_id);
        let mut found = members.iter();
        let found = found.find(|c| c.stream_id == *stream && c.changeset_id == id);
        let Some(position) = found.map(place) else {
            return invalid(format!(
                "`failed`: changeset {id} of stream `{stream}` is not in the batch"
            ));
        };
        if position >= ack.checkpoint {
            return invalid(format!(
                "`failed`: changeset {id} of stream `{stream}` is not below `checkpoint`"
            ));
        }
        let known = lowest.entry(stream).or_insert((position, failure));
        if position < known.0 {
            *known = (position, failure);
        }
    }
    Ok(lowest.into_values().collect())
}

fn first_failure(
    slot: u16,
    failure: &Failure,
    position: Checkpoint,
    definition: &ConsumerDefinition,
    now: Timestamp,
) -> Parked {
    Parked {
        slot,
        stream_id: failure.stream_id.clone(),
        from_changeset: failure.changeset_id,
        position,
        attempts: 1,
        error: cut(&failure.error),
        since: now,
        next_try: next_try(&definition.retry_seconds, 1, now),
        catching_up: false,
    }
}

/// The partition stops at a failed changeset, which is tried for ever.
fn stop(
    before: Option<&Parked>,
    failure: &Failure,
    position: Checkpoint,
    definition: &ConsumerDefinition,
    now: Timestamp,
) -> Parked {
    let mut stopped = first_failure(0, failure, position, definition, now);
    if let Some(before) = before.filter(|before| before.position == position) {
        stopped.attempts = before.attempts.saturating_add(1);
        stopped.since = before.since;
    }
    let pauses = &definition.retry_seconds;
    let last = u32::try_from(pauses.len()).unwrap_or(u32::MAX);
    let pause = next_try(pauses, stopped.attempts.min(last), now);
    let soonest = now.after(LEAST_STOP);
    stopped.next_try = Some(pause.unwrap_or(soonest).max(soonest));
    stopped
}
