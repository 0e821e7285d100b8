//! Judges a set by what is known, or by consistent reads.

use ees_core::adapter::{ChangesetKey, ClientKey, Commit, CommitSet, Refusal, SetRefusal, Verdict};
use ees_core::{ChangesetId, Check, Head, StorageError, StreamId, Written};
use futures_util::future::{try_join, try_join_all};

use super::Judged;
use super::plan::Plan;
use crate::DynamoStorage;
use crate::client_keys::{Standing, Step, standing, step};
use crate::commit::{head, is_new_stream};
use crate::items;
use crate::tables::{Part, Tables, pause};

/// How often the keys of a set are read at most that is just being written.
const MAX_LOOKS: u32 = 5;

/// What a check found: what must not exist, or why it is refused.
type Checked = Result<Option<ChangesetKey>, Refusal>;

/// What stands where a key's marker points.
#[derive(Debug, Clone, Copy)]
struct Found {
    marker: ChangesetId,
    standing: Standing,
    /// Whether it is the commit itself, with the place that it has in the set.
    is_same: bool,
}

impl DynamoStorage {
    /// Judges a set by cached heads, and by the ends of the other streams. If that refuses the set,
    /// everything is read.
    pub(super) async fn judge_set(&self, set: &CommitSet) -> Result<Judged, StorageError> {
        let verdicts = try_join_all(set.commits.iter().map(|one| self.judge(one)));
        let checks = try_join_all(set.checks.iter().map(|one| self.check(one)));
        let (verdicts, checks) = try_join(verdicts, checks).await?;
        if !refusal(&verdicts, &checks).is_empty() {
            return self.look(set).await;
        }
        let mut plan = Plan::default();
        for (commit, verdict) in set.commits.iter().zip(verdicts) {
            if let Some(slot) = verdict.slot() {
                plan.put(commit, slot, None);
            }
        }
        checks.into_iter().flatten().for_each(|one| plan.check(one));
        Ok(Judged::Append(plan))
    }

    /// Judges a set by consistent reads: the markers of its keys, then the ends of all streams, then
    /// what stands where the markers point.
    pub(super) async fn look(&self, set: &CommitSet) -> Result<Judged, StorageError> {
        let markers = self.tables.set_markers(set).await?;
        let verdicts = try_join_all(set.commits.iter().map(|one| self.judge_by_end(one)));
        let checks = try_join_all(set.checks.iter().map(|one| self.check_by_end(one)));
        let (verdicts, checks) = try_join(verdicts, checks).await?;
        let refusal = refusal(&verdicts, &checks);
        if !refusal.is_empty() {
            return self.refuse(set, refusal).await;
        }
        let found = self.tables.found(set, &markers).await?;
        let mut plan = Plan::default();
        for ((commit, verdict), found) in set.commits.iter().zip(verdicts).zip(found) {
            let Some(slot) = verdict.slot() else { continue };
            let marker = found.map(|found| found.marker);
            let next = found.map(|found| {
                let slot = slot.changeset_id.get();
                step(found.marker.get(), found.standing, slot, true)
            });
            match next {
                Some(Step::Stands) => return self.refuse(set, refusal).await,
                Some(Step::JudgeAgain) => return Ok(Judged::Again),
                // The put checks that the slot is empty.
                Some(Step::Put | Step::Move | Step::MoveIfEmpty) | None => {
                    plan.put(commit, slot, marker);
                }
            }
        }
        checks.into_iter().flatten().for_each(|one| plan.check(one));
        Ok(Judged::Append(plan))
    }

    /// Refuses a set, with the keys that stand. They are read after the ends of the streams, so that
    /// a set that was written meanwhile is recognised.
    async fn refuse(
        &self,
        set: &CommitSet,
        mut refusal: SetRefusal,
    ) -> Result<Judged, StorageError> {
        let found = self.tables.keys_of(set).await?;
        for (refusal, found) in refusal.commits.iter_mut().zip(found) {
            if let Some(found) = found.filter(|found| found.standing == Standing::Ours) {
                *refusal = Some(Refusal::KeyStands(found.marker));
            }
        }
        Ok(if refusal.is_empty() {
            Judged::Again
        } else {
            Judged::Refused(refusal)
        })
    }

    /// Judges a check by a cached head, or else by the end of the stream.
    async fn check(&self, check: &Check) -> Result<Checked, StorageError> {
        let Check {
            stream_id,
            expectation,
        } = check;
        match self.heads.get(stream_id, *expectation) {
            Some(head) => Ok(Ok(after(stream_id, Some(&head)))),
            None if is_new_stream(*expectation) => Ok(Ok(after(stream_id, None))),
            None => self.check_by_end(check).await,
        }
    }

    async fn check_by_end(&self, check: &Check) -> Result<Checked, StorageError> {
        let stream_id = &check.stream_id;
        let end = self.tables.last(stream_id).await?;
        let end = end.map(|end| head(end, stream_id)).transpose()?;
        match check.expectation.check(end.as_ref()) {
            // The answer contains the head, and the index does not have its time.
            Some(Refusal::Ahead(Some(_))) => {
                let end = self.tables.head(stream_id).await?;
                let refusal = check.expectation.check(end.as_ref());
                Ok(refusal.map_or_else(|| Ok(after(stream_id, end.as_ref())), Err))
            }
            Some(refusal) => Ok(Err(refusal)),
            None => Ok(Ok(after(stream_id, end.as_ref()))),
        }
    }
}

impl Tables {
    /// The markers of the keys of a set's commits; none if the set has no client's key.
    async fn set_markers(&self, set: &CommitSet) -> Result<Vec<Option<ChangesetId>>, StorageError> {
        let keys: Vec<ClientKey> = set.commits.iter().filter_map(Commit::client_key).collect();
        if keys.is_empty() {
            return Ok(vec![None; set.commits.len()]);
        }
        self.markers(&keys).await
    }

    /// What stands where these markers of a set's commits point.
    async fn found(
        &self,
        set: &CommitSet,
        markers: &[Option<ChangesetId>],
    ) -> Result<Vec<Option<Found>>, StorageError> {
        let at = |commit: &Commit, marker: ChangesetId| ChangesetKey {
            stream_id: commit.stream_id.clone(),
            changeset_id: marker,
        };
        let pairs = set.commits.iter().zip(markers);
        let keys = pairs
            .clone()
            .filter_map(|(one, marker)| marker.map(|marker| at(one, marker)));
        let items = self
            .batch(&keys.collect::<Vec<_>>(), Part::CommitId)
            .await?;
        let found = pairs.map(|(commit, marker)| {
            let (Some(marker), Some(key)) = (*marker, commit.client_key()) else {
                return Ok(None);
            };
            let item = items.get(&at(commit, marker));
            let standing = item.map(|item| standing(&key, item)).transpose()?;
            let standing = standing.unwrap_or(Standing::Nothing);
            let mark = item.map(items::set_mark).transpose()?.flatten();
            let is_same = standing == Standing::Ours && mark == commit.set;
            Ok(Some(Found {
                marker,
                standing,
                is_same,
            }))
        });
        found.collect()
    }

    /// What stands where the markers of a set's commits point. A set that is just being written may
    /// be visible in some streams and not yet in others. It is waited for.
    async fn keys_of(&self, set: &CommitSet) -> Result<Vec<Option<Found>>, StorageError> {
        for looks in 0..MAX_LOOKS {
            pause(looks).await?;
            let markers = self.set_markers(set).await?;
            let found = self.found(set, &markers).await?;
            let visible = found.iter().flatten().filter(|found| found.is_same).count();
            if visible == 0 || visible == found.len() {
                return Ok(found);
            }
        }
        let reason = "a set of commits is not visible in all of its streams yet";
        Err(StorageError::unavailable(reason, Written::Unknown))
    }
}

fn refusal(verdicts: &[Verdict], checks: &[Checked]) -> SetRefusal {
    SetRefusal {
        commits: verdicts.iter().map(Verdict::refusal).collect(),
        checks: checks
            .iter()
            .map(|check| check.as_ref().err().copied())
            .collect(),
    }
}

/// The changeset that would follow an end of a stream; `None` if there are no ids left.
fn after(stream_id: &StreamId, end: Option<&Head>) -> Option<ChangesetKey> {
    let last = end.map_or(0, |end| end.last_changeset.get());
    let changeset_id = ChangesetId::new(last + 1).ok()?;
    Some(ChangesetKey {
        stream_id: stream_id.clone(),
        changeset_id,
    })
}
