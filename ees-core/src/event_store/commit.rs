//! Committing, and the idempotent replay of a commit.

use tracing::{Instrument, Span};

use super::EventStore;
use crate::adapter::{Commit, Outcome, Refusal};
use crate::number::MAX_ID;
use crate::{
    Changeset, ChangesetId, CommitId, CommitIdError, Conflict, Error, Expectation, Head,
    MAX_FORTHCOMING, NewChangeset, Page, PageLimit, Receipt, StorageError, StreamId, StreamQuery,
    StreamRange, Written,
};
use crate::{measure, spans};

/// The largest size of events and metadata that a conflict lists, in bytes; a larger changeset is
/// listed alone.
pub(super) const MAX_FORTHCOMING_BYTES: usize = 256 * 1024;

impl EventStore {
    /// Appends a changeset to its stream, if the expectation holds.
    ///
    /// A commit whose idempotency key stands in the stream stores nothing. With the same events and
    /// metadata it gets the first answer, whatever it expects and however far the stream has moved
    /// (G10). A key that the store generated is recognised only with the same expectation.
    ///
    /// # Errors
    /// [`Error::IdempotencyKey`] if the key is [`CommitId::NONE`].
    /// [`Error::Conflict`] if the stream has moved on, [`Error::ExpectationAhead`] if it ends
    /// before the expectation, [`Error::IdempotencyKeyReused`], [`Error::ChangesetTooLarge`],
    /// [`Error::StreamTooLarge`]: nothing was written. [`Error::Storage`] if the storage failed;
    /// its [`Written`] says whether the commit may have happened.
    pub async fn commit(&self, asked: NewChangeset) -> Result<Receipt, Error> {
        let (begun, span) = (measure::begin(), spans::commit(self.name.as_str()));
        let committed = self.append(asked, &span).await;
        let replayed = matches!(&committed, Ok(receipt) if receipt.replayed);
        let outcome = begun.commit(&self.name, &committed, replayed);
        spans::committed(&span, outcome, &committed);
        committed
    }

    async fn append(&self, asked: NewChangeset, span: &Span) -> Result<Receipt, Error> {
        let most = asked.max_forthcoming;
        check_key(asked.idempotency_key.as_ref())?;
        let commit = Commit {
            stream_id: asked.stream_id,
            expectation: asked.expectation,
            events: asked.events,
            metadata: asked.metadata,
            // A host that reports the key when the storage fails generates the key itself.
            commit_id: asked.idempotency_key.unwrap_or_else(CommitId::generate),
            set: None,
            timestamp: self.clock.now(),
        };
        let (size, limit) = (commit.payload_bytes(), self.max_changeset_bytes());
        if size > limit {
            return Err(Error::ChangesetTooLarge { size, limit });
        }
        let committed = self.storage.commit(&commit);
        let committed = committed.instrument(spans::write(span)).await;
        self.note(&committed);
        match committed? {
            Outcome::Committed(receipt) => Ok(receipt),
            Outcome::Refused(Refusal::KeyStands(id)) => Box::pin(self.recall(&commit, id)).await,
            // Rare, and large: without the box every commit would be as large.
            Outcome::Refused(Refusal::Outdated) => Box::pin(self.replay(commit, most)).await,
            Outcome::Refused(Refusal::Ahead(head)) => Err(Error::ExpectationAhead {
                stream_id: commit.stream_id,
                expectation: commit.expectation,
                head,
            }),
            Outcome::Refused(Refusal::Full) => Err(Error::StreamTooLarge {
                stream_id: commit.stream_id,
            }),
        }
    }

    /// Answers a commit whose key stands in a changeset of the stream.
    pub(super) async fn recall(&self, commit: &Commit, id: ChangesetId) -> Result<Receipt, Error> {
        let range = StreamRange::Changesets(id.get()..=id.get());
        let query = StreamQuery::all(commit.stream_id.clone()).range(range);
        let found = self.storage.read_stream(&query).await;
        // The key may stand because of a try that the storage retried internally.
        let found = found.map_err(|error| error.after_a_try(Written::Unknown))?;
        match found.items.into_iter().next() {
            Some(found) if found.commit_id == commit.commit_id => repeated(commit, found),
            _ => {
                let stream = &commit.stream_id;
                let reason = format!(
                    "changeset {id} of stream `{stream}` does not have the key of a commit"
                );
                Err(StorageError::Corrupt(reason).into())
            }
        }
    }

    /// Answers a commit whose expectation is outdated. The changeset that directly follows the
    /// expectation may be an earlier try of this commit.
    async fn replay(&self, commit: Commit, most: usize) -> Result<Receipt, Error> {
        let limit = PageLimit {
            items: most.clamp(1, MAX_FORTHCOMING),
            bytes: MAX_FORTHCOMING_BYTES,
        };
        let query = StreamQuery::all(commit.stream_id.clone()).range(beyond(commit.expectation));
        let forthcoming = self
            .storage
            .read_stream(&query.limit(limit))
            .await
            // The storage may have retried internally after a try that was written.
            .map_err(|error| error.after_a_try(Written::Unknown))?;
        let successor = forthcoming.items.first();
        // After an event there may be only changesets without events.
        if successor.is_none() && matches!(commit.expectation, Expectation::LastChangeset(_)) {
            let reason = format!(
                "a commit to stream `{}` is outdated, but no later changeset exists",
                commit.stream_id
            );
            return Err(StorageError::Corrupt(reason).into());
        }
        if let Some(successor) = successor.filter(|next| is_same_commit(&commit, next)) {
            return repeated(&commit, successor.clone());
        }
        let conflict = self.conflict(commit, forthcoming, most).await?;
        Err(Error::Conflict(Box::new(conflict)))
    }

    /// A conflict with at most `most` of the changesets that follow the expectation.
    async fn conflict(
        &self,
        commit: Commit,
        mut forthcoming: Page<Changeset>,
        most: usize,
    ) -> Result<Conflict, Error> {
        let head = self.end(&commit, &forthcoming).await?;
        if most == 0 {
            forthcoming.more |= !forthcoming.items.is_empty();
            forthcoming.items.clear();
        }
        Ok(Conflict {
            stream_id: commit.stream_id,
            expectation: commit.expectation,
            head,
            forthcoming,
        })
    }

    /// The end of the stream of an outdated commit. The last of the changesets that follow it shows
    /// the end, unless more follow. After an event there may be changesets without events, which are
    /// not among those.
    async fn end(&self, commit: &Commit, forthcoming: &Page<Changeset>) -> Result<Head, Error> {
        if let (Expectation::LastChangeset(_), false, Some(last)) = (
            commit.expectation,
            forthcoming.more,
            forthcoming.items.last(),
        ) {
            return Ok(last.head());
        }
        self.outdated_end(&commit.stream_id).await
    }

    /// The end of a stream that is beyond an expectation.
    pub(super) async fn outdated_end(&self, stream_id: &StreamId) -> Result<Head, Error> {
        let head = self.storage.head(stream_id).await;
        let head = head.map_err(|error| error.after_a_try(Written::Unknown))?;
        head.ok_or_else(|| {
            let reason = format!("a commit to stream `{stream_id}` is outdated, but it has no end");
            StorageError::Corrupt(reason).into()
        })
    }
}

/// Refuses a key that no client can have.
pub(super) fn check_key(key: Option<&CommitId>) -> Result<(), Error> {
    match key {
        Some(key) if key.as_str() == CommitId::NONE => Err(CommitIdError::Reserved.into()),
        _ => Ok(()),
    }
}

pub(super) fn is_same_commit(commit: &Commit, successor: &Changeset) -> bool {
    directly_follows(successor, commit.expectation) && commit.commit_id == successor.commit_id
}

/// Answers a commit with the changeset that has its key. A commit of a set is repeated by the same
/// commit of the same set only.
pub(super) fn repeated(commit: &Commit, found: Changeset) -> Result<Receipt, Error> {
    let is_same = commit.events == found.events && commit.metadata == found.metadata;
    if !is_same || commit.set != found.set {
        return Err(Error::IdempotencyKeyReused(Box::new(found)));
    }
    Ok(Receipt {
        replayed: true,
        ..found.receipt()
    })
}

/// The range of all changesets beyond the expectation.
pub(super) fn beyond(expectation: Expectation) -> StreamRange {
    match expectation {
        Expectation::LastChangeset(last) => {
            StreamRange::Changesets(last.saturating_add(1)..=MAX_ID)
        }
        Expectation::LastEvent(last) => StreamRange::Events(last.saturating_add(1)..=MAX_ID),
    }
}

/// Whether a changeset has the ids that a commit with this expectation would get.
fn directly_follows(changeset: &Changeset, expectation: Expectation) -> bool {
    match expectation {
        Expectation::LastChangeset(last) => changeset.changeset_id.get() - 1 == last,
        Expectation::LastEvent(last) => changeset.first_event_id.get() - 1 == last,
    }
}
