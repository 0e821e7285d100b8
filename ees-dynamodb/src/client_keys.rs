//! Idempotency keys of clients: each belongs to its stream for ever (G10).
//!
//! DynamoDB cannot make the key unique with the write of the changeset alone. So each key has a
//! marker in the analysis table, which names the changeset id that the key is meant for. A commit
//! writes the marker after its expectation was judged to hold, and before the changeset. [`step`]
//! decides what a commit does that finds a marker.
//!
//! Why a key stands at most once: a commit puts its changeset at id *n* only while the marker names
//! *n*. A marker moves away from *n* only once another key stands there, and then the put fails. So
//! where a key stands, its marker stays. A set of commits writes marker and changeset in one
//! transaction, so that the marker names *n* at that moment.

mod remark;
mod step;

use ees_core::adapter::{ChangesetKey, ClientKey, Commit, Outcome, Refusal, Slot, Verdict};
use ees_core::{ChangesetId, StorageError, Written};

use crate::DynamoStorage;
use crate::attempts::Attempts;
use crate::items::{self, CHANGESET_ID, Item, number, text};
use crate::schema::PROJECTION_ID;
use crate::tables::{Guard, Part, Tables, Transacted, count};
pub(crate) use remark::Remarked;
pub(crate) use step::{MAX_ROUNDS, Standing, Step, step};

/// What a commit may do after it looked at its key's marker.
enum Claim {
    /// The key stands in this changeset.
    Stands(ChangesetId),
    /// The marker names the commit's slot.
    Ours,
    /// Judge again, after this marker was seen.
    Again(Option<u64>),
}

impl DynamoStorage {
    /// Appends a changeset that has a client's key, if the key does not stand and the expectation
    /// holds.
    pub(crate) async fn append_once(
        &self,
        commit: &Commit,
        key: &ClientKey,
    ) -> Result<Outcome, StorageError> {
        let mut seen = None;
        for round in 0..MAX_ROUNDS {
            let verdict = match round {
                0 => self.judge(commit).await?,
                _ => self.judge_by_end(commit).await?,
            };
            let slot = match verdict {
                Verdict::Append(slot) => slot,
                Verdict::Refuse(refusal) => {
                    let stands = self.tables.stands(key).await?;
                    let refusal = stands.map_or(refusal, Refusal::KeyStands);
                    return Ok(Outcome::Refused(refusal));
                }
            };
            match self.tables.claim(key, slot, seen).await? {
                Claim::Stands(id) => return Ok(Outcome::Refused(Refusal::KeyStands(id))),
                Claim::Again(marker) => seen = marker,
                Claim::Ours => match self.put(commit.clone().into_changeset(slot, None)).await? {
                    // Another commit took the slot, and it may have the same key.
                    Outcome::Refused(Refusal::Outdated) => seen = None,
                    outcome => return Ok(outcome),
                },
            }
        }
        let reason = "commits with one idempotency key compete";
        Err(StorageError::unavailable(reason, Written::None))
    }
}

impl Tables {
    /// The changeset in which a key stands, as its marker says.
    async fn stands(&self, key: &ClientKey) -> Result<Option<ChangesetId>, StorageError> {
        let Some(marker) = self.marker(key).await? else {
            return Ok(None);
        };
        let standing = self.standing(key, marker).await?;
        Ok(Some(marker).filter(|_| standing == Standing::Ours))
    }

    /// Writes or moves the marker of a key, so that it names a slot, where that is allowed. `seen`
    /// is a marker that was read before the commit was judged.
    async fn claim(
        &self,
        key: &ClientKey,
        slot: Slot,
        seen: Option<u64>,
    ) -> Result<Claim, StorageError> {
        let slot = slot.changeset_id;
        if self.mark(key, None, slot).await? {
            return Ok(Claim::Ours);
        }
        let Some(marker) = self.marker(key).await? else {
            return Ok(Claim::Again(None));
        };
        let standing = self.standing(key, marker).await?;
        let was_seen = seen == Some(marker.get());
        let moved = match step(marker.get(), standing, slot.get(), was_seen) {
            Step::Stands => return Ok(Claim::Stands(marker)),
            Step::Put => return Ok(Claim::Ours),
            Step::JudgeAgain => return Ok(Claim::Again(Some(marker.get()))),
            Step::Move => self.mark(key, Some(marker), slot).await?,
            Step::MoveIfEmpty => self.mark_empty(key, marker, slot).await?,
        };
        Ok(if moved {
            Claim::Ours
        } else {
            Claim::Again(None)
        })
    }

    /// Reads the marker of a key.
    pub(crate) async fn marker(
        &self,
        key: &ClientKey,
    ) -> Result<Option<ChangesetId>, StorageError> {
        let id = marker_id(key);
        let item = self.analysis(&id).await?;
        item.map(|item| self.marked(&id, &item)).transpose()
    }

    /// Reads the markers of keys, one for each key.
    pub(crate) async fn markers(
        &self,
        keys: &[ClientKey],
    ) -> Result<Vec<Option<ChangesetId>>, StorageError> {
        let ids: Vec<String> = keys.iter().map(marker_id).collect();
        let found = self.analysis_items(&ids).await?;
        let marker = |id: &String| found.get(id).map(|item| self.marked(id, item)).transpose();
        ids.iter().map(marker).collect()
    }

    fn marked(&self, id: &str, item: &Item) -> Result<ChangesetId, StorageError> {
        let marker = count(item, CHANGESET_ID).and_then(|id| ChangesetId::new(id).ok());
        marker.ok_or_else(|| self.malformed(id))
    }

    /// What stands at a changeset id, consistently.
    pub(crate) async fn standing(
        &self,
        key: &ClientKey,
        id: ChangesetId,
    ) -> Result<Standing, StorageError> {
        let at = ChangesetKey {
            stream_id: key.stream_id.clone(),
            changeset_id: id,
        };
        let found = self
            .batch(std::slice::from_ref(&at), Part::CommitId)
            .await?;
        Ok(match found.get(&at) {
            None => Standing::Nothing,
            Some(item) => standing(key, item)?,
        })
    }

    /// Writes a marker if the key has this one, or none. Returns whether it did.
    pub(crate) async fn mark(
        &self,
        key: &ClientKey,
        previous: Option<ChangesetId>,
        slot: ChangesetId,
    ) -> Result<bool, StorageError> {
        let guard = match previous {
            None => Guard::Absent,
            Some(previous) => Guard::Number(CHANGESET_ID, previous.get()),
        };
        // Whatever became of the marker, the changeset is not written.
        let swapped = self.swap(guard, marker_item(key, slot)).await;
        swapped.map_err(nothing_written)
    }

    /// Moves a marker that a restore left beyond the end of its stream, if the slot is still empty.
    /// The stream then still ends before the slot, so that no commit writes where the marker was.
    async fn mark_empty(
        &self,
        key: &ClientKey,
        previous: ChangesetId,
        slot: ChangesetId,
    ) -> Result<bool, StorageError> {
        let at = ChangesetKey {
            stream_id: key.stream_id.clone(),
            changeset_id: slot,
        };
        let guard = Guard::Number(CHANGESET_ID, previous.get());
        let writes = [
            self.check_absent(&at)?,
            self.put_guarded(guard, marker_item(key, slot))?,
        ];
        let moved = self.transact(&writes, &Attempts::default()).await;
        let moved = moved.map_err(nothing_written)?;
        Ok(matches!(moved, Transacted::Done(_)))
    }
}

/// What a changeset is to a key.
pub(crate) fn standing(key: &ClientKey, item: &Item) -> Result<Standing, StorageError> {
    Ok(if items::commit_id(item)? == key.commit_id {
        Standing::Ours
    } else {
        Standing::Other
    })
}

/// The error of a write of a marker: no changeset was written.
fn nothing_written(error: StorageError) -> StorageError {
    match error {
        StorageError::Unavailable {
            reason,
            retry_after,
            source,
            ..
        } => StorageError::Unavailable {
            reason,
            written: Written::None,
            retry_after,
            source,
        },
        error => error,
    }
}

/// The id of a marker. The length of the stream id separates it from the key.
fn marker_id(key: &ClientKey) -> String {
    let stream = key.stream_id.as_str();
    format!("ees:key:{}:{stream}:{}", stream.len(), key.commit_id)
}

pub(crate) fn marker_item(key: &ClientKey, slot: ChangesetId) -> Item {
    Item::from([
        (PROJECTION_ID.to_owned(), text(marker_id(key))),
        (CHANGESET_ID.to_owned(), number(slot.get())),
    ])
}

#[cfg(test)]
mod model;
