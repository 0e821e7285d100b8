//! Committing to several streams at once, and the idempotent replay of such a set.

use tracing::{Instrument, Span};

use super::EventStore;
use super::commit::{MAX_FORTHCOMING_BYTES, beyond, check_key, is_same_commit, repeated};
use crate::adapter::{Commit, CommitSet, Refusal, SetOutcome, SetRefusal};
use crate::set::SET_SIZE_FACTOR;
use crate::{
    Changeset, Check, CommitId, Error, Expectation, MAX_FORTHCOMING, NewSet, Page, PageLimit,
    Receipt, SetConflict, SetError, SetMark, StorageError, StreamId, StreamQuery, Unmet, Written,
};
use crate::{measure, spans};

impl EventStore {
    /// Appends changesets to several streams: all of them, if every expectation of the commits and of
    /// the checks holds, or none (G1, G2). The receipts are in the order of the commits.
    ///
    /// On storages that order at commit time the changesets get adjacent checkpoints, in the order of
    /// the commits. A set whose idempotency key stands in the streams stores nothing and gets the
    /// first answer, if it is the same set: the same commits with the same events and metadata in the
    /// same order. Expectations and checks may differ (G10).
    ///
    /// # Errors
    /// [`Error::Set`] if it is not a set that can be committed, [`Error::InSet`] if one of its commits
    /// cannot be stored, [`Error::SetConflict`] with all commits and checks that do not hold,
    /// [`Error::IdempotencyKey`], [`Error::IdempotencyKeyReused`] if the key stands in one of the
    /// streams for anything but this set: nothing was written. [`Error::Storage`] if the storage
    /// failed; its [`Written`] says whether the set may have been written.
    pub async fn commit_all(&self, asked: NewSet) -> Result<Vec<Receipt>, Error> {
        let (begun, span) = (measure::begin(), spans::commit(self.name.as_str()));
        let committed = self.append_all(asked, &span).await;
        let replayed = matches!(committed.as_deref(), Ok([first, ..]) if first.replayed);
        let outcome = begun.commit(&self.name, &committed, replayed);
        spans::committed(&span, outcome, &committed);
        committed
    }

    async fn append_all(&self, asked: NewSet, span: &Span) -> Result<Vec<Receipt>, Error> {
        asked.validate()?;
        check_key(asked.idempotency_key.as_ref())?;
        let most: Vec<usize> = asked
            .commits
            .iter()
            .map(|one| one.max_forthcoming)
            .collect();
        let set = self.complete(asked);
        self.check_sizes(&set)?;
        let committed = self.storage.commit_set(&set);
        let committed = committed.instrument(spans::write(span)).await;
        self.note_set(&committed);
        match committed? {
            SetOutcome::Committed(receipts) => Ok(receipts),
            SetOutcome::Refused(refusal) => Box::pin(self.refused(&set, &refusal, &most)).await,
        }
    }

    /// The set as the storage gets it.
    fn complete(&self, asked: NewSet) -> CommitSet {
        let commit_id = asked.idempotency_key.unwrap_or_else(CommitId::generate);
        let timestamp = self.clock.now();
        let content = asked.commits.iter();
        let content = content.map(|one| (&one.stream_id, &one.events, &one.metadata));
        let marks = SetMark::of_members(content);
        let commits = asked.commits.into_iter().zip(marks);
        let commits = commits.map(|(one, mark)| Commit {
            stream_id: one.stream_id,
            expectation: one.expectation,
            events: one.events,
            metadata: one.metadata,
            commit_id: commit_id.clone(),
            set: Some(mark),
            timestamp,
        });
        CommitSet {
            commits: commits.collect(),
            checks: asked.checks,
        }
    }

    fn check_sizes(&self, set: &CommitSet) -> Result<(), Error> {
        let limit = self.max_changeset_bytes();
        for commit in &set.commits {
            let size = commit.payload_bytes();
            if size > limit {
                let error = Error::ChangesetTooLarge { size, limit };
                return Err(in_set(&commit.stream_id, error));
            }
        }
        let (size, limit) = (set.payload_bytes(), limit.saturating_mul(SET_SIZE_FACTOR));
        if size > limit {
            return Err(SetError::TooLarge { size, limit }.into());
        }
        Ok(())
    }

    /// Answers a set that the storage refused. It may be a repeat.
    async fn refused(
        &self,
        set: &CommitSet,
        refusal: &SetRefusal,
        most: &[usize],
    ) -> Result<Vec<Receipt>, Error> {
        let refusals = || set.commits.iter().zip(&refusal.commits);
        let stands = |refusal: &Option<Refusal>| matches!(refusal, Some(Refusal::KeyStands(_)));
        if refusal.commits.iter().any(stands) {
            return self.recall_all(set, refusal).await;
        }
        let is_outdated = |refusal: &Option<Refusal>| *refusal == Some(Refusal::Outdated);
        if refusal.commits.iter().all(is_outdated)
            && let Some(receipts) = self.replay_all(set).await?
        {
            return Ok(receipts);
        }
        if let Some((full, _)) = refusals().find(|(_, one)| **one == Some(Refusal::Full)) {
            let stream_id = full.stream_id.clone();
            return Err(in_set(&full.stream_id, Error::StreamTooLarge { stream_id }));
        }
        let conflict = self.set_conflict(set, refusal, most).await?;
        Err(Error::SetConflict(Box::new(conflict)))
    }

    /// Answers a set whose key stands in at least one of its streams. The set that it belongs to was
    /// stored whole, so if it is this set, the key stands in all of them.
    async fn recall_all(
        &self,
        set: &CommitSet,
        refusal: &SetRefusal,
    ) -> Result<Vec<Receipt>, Error> {
        let mut receipts = Vec::with_capacity(set.commits.len());
        let mut missing = None;
        for (commit, refusal) in set.commits.iter().zip(&refusal.commits) {
            match refusal {
                Some(Refusal::KeyStands(id)) => receipts.push(self.recall(commit, *id).await?),
                _ => missing = Some(commit),
            }
        }
        match missing {
            None => Ok(receipts),
            Some(commit) => Err(torn(&commit.stream_id)),
        }
    }

    /// Answers a set whose commits are all outdated, if it is a repeat: the changeset that directly
    /// follows each expectation is then the set's own.
    async fn replay_all(&self, set: &CommitSet) -> Result<Option<Vec<Receipt>>, Error> {
        let mut receipts = Vec::with_capacity(set.commits.len());
        for commit in &set.commits {
            let limit = PageLimit {
                items: 1,
                bytes: MAX_FORTHCOMING_BYTES,
            };
            let next = self
                .beyond(&commit.stream_id, commit.expectation, limit)
                .await?;
            match next.items.into_iter().next() {
                Some(next) if is_same_commit(commit, &next) => {
                    receipts.push(repeated(commit, next)?);
                }
                _ if receipts.is_empty() => return Ok(None),
                _ => return Err(torn(&commit.stream_id)),
            }
        }
        Ok(Some(receipts))
    }

    /// All commits and checks that do not hold. The changesets that they missed fill what the
    /// conflict has room for, in order.
    async fn set_conflict(
        &self,
        set: &CommitSet,
        refusal: &SetRefusal,
        most: &[usize],
    ) -> Result<SetConflict, Error> {
        let commits = set
            .commits
            .iter()
            .zip(most)
            .map(|(commit, most)| (&commit.stream_id, commit.expectation, *most));
        let checks = set
            .checks
            .iter()
            .map(|check: &Check| (&check.stream_id, check.expectation, MAX_FORTHCOMING));
        let refusals = refusal.commits.iter().chain(&refusal.checks);
        let mut room = PageLimit {
            items: MAX_FORTHCOMING,
            bytes: MAX_FORTHCOMING_BYTES,
        };
        let mut unmet = Vec::new();
        for ((stream_id, expectation, most), refusal) in commits.chain(checks).zip(refusals) {
            let (head, mut forthcoming) = match refusal {
                None => continue,
                Some(Refusal::Ahead(head)) => (*head, nothing(false)),
                Some(_) => {
                    let items = most.min(room.items);
                    let limit = PageLimit { items, ..room };
                    let missed = self.missed_within(stream_id, expectation, limit).await?;
                    (Some(self.outdated_end(stream_id).await?), missed)
                }
            };
            let listed: usize = forthcoming.items.iter().map(Changeset::payload_bytes).sum();
            // A page has one changeset at least. Only the first page of the conflict may exceed its room.
            if listed > room.bytes && room.items < MAX_FORTHCOMING {
                forthcoming = nothing(true);
            }
            room.items -= forthcoming.items.len();
            room.bytes = room.bytes.saturating_sub(listed);
            unmet.push(Unmet {
                stream_id: stream_id.clone(),
                expectation,
                head,
                forthcoming,
            });
        }
        Ok(SetConflict { unmet })
    }

    /// The changesets that follow an expectation, as far as there is room; none if there is none.
    async fn missed_within(
        &self,
        stream_id: &StreamId,
        expectation: Expectation,
        room: PageLimit,
    ) -> Result<Page<Changeset>, Error> {
        if room.items == 0 || room.bytes == 0 {
            return Ok(nothing(true));
        }
        self.beyond(stream_id, expectation, room).await
    }

    /// A page of the changesets that follow an expectation.
    async fn beyond(
        &self,
        stream_id: &StreamId,
        expectation: Expectation,
        limit: PageLimit,
    ) -> Result<Page<Changeset>, Error> {
        let query = StreamQuery::all(stream_id.clone()).range(beyond(expectation));
        let page = self.storage.read_stream(&query.limit(limit)).await;
        // The storage may have retried internally after a try that was written.
        Ok(page.map_err(|error| error.after_a_try(Written::Unknown))?)
    }
}

/// A page without changesets.
fn nothing(more: bool) -> Page<Changeset> {
    let items = Vec::new();
    Page { items, more }
}

fn in_set(stream_id: &StreamId, error: Error) -> Error {
    Error::InSet {
        stream_id: stream_id.clone(),
        error: Box::new(error),
    }
}

/// A set of which only a part is stored.
fn torn(stream_id: &StreamId) -> Error {
    let reason = format!("a set of commits is stored in part only: not in stream `{stream_id}`");
    StorageError::Corrupt(reason).into()
}
