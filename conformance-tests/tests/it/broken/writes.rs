//! Storages that do not write what they say.

use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use ees_conformance::Adapter;
use ees_conformance::faults::Fault;
use ees_core::adapter::{Commit, Outcome, Refusal, Verdict};
use ees_core::{Expectation, StorageError, StreamId};

/// Acknowledges one commit in ten without writing it.
#[derive(Default)]
pub(super) struct LosesACommit(AtomicU64);

#[async_trait]
impl Fault for LosesACommit {
    async fn commit(&self, inner: &dyn Adapter, commit: &Commit) -> Result<Outcome, StorageError> {
        let head = inner.head(&commit.stream_id).await?;
        let verdict = commit
            .expectation
            .judge(head.as_ref(), commit.events.count());
        match verdict {
            Verdict::Append(slot) if self.0.fetch_add(1, Ordering::SeqCst) % 10 == 5 => {
                let end = inner.next_checkpoint().await?;
                let receipt = commit.clone().into_changeset(slot, Some(end)).receipt();
                Ok(Outcome::Committed(receipt))
            }
            _ => inner.commit(commit).await,
        }
    }
}

/// Appends whatever was expected.
#[derive(Default)]
pub(super) struct ForgetsConcurrency;

#[async_trait]
impl Fault for ForgetsConcurrency {
    async fn commit(&self, inner: &dyn Adapter, commit: &Commit) -> Result<Outcome, StorageError> {
        append_anyway(inner, commit).await
    }
}

/// Appends at the end of a stream, wherever that is.
async fn append_anyway(inner: &dyn Adapter, commit: &Commit) -> Result<Outcome, StorageError> {
    loop {
        let head = inner.head(&commit.stream_id).await?;
        let last = head.map_or(0, |head| head.last_changeset.get());
        let commit = Commit {
            expectation: Expectation::LastChangeset(last),
            ..commit.clone()
        };
        let outcome = inner.commit(&commit).await?;
        if !matches!(
            outcome,
            Outcome::Refused(Refusal::Outdated | Refusal::Ahead(_))
        ) {
            return Ok(outcome);
        }
    }
}

/// Writes what it acknowledges twice.
#[derive(Default)]
pub(super) struct CommitsTwice;

#[async_trait]
impl Fault for CommitsTwice {
    async fn commit(&self, inner: &dyn Adapter, commit: &Commit) -> Result<Outcome, StorageError> {
        let outcome = inner.commit(commit).await?;
        if matches!(outcome, Outcome::Committed(_)) {
            append_anyway(inner, commit).await?;
        }
        Ok(outcome)
    }
}

/// Refuses, and writes all the same.
#[derive(Default)]
pub(super) struct WritesWhatItRefuses;

#[async_trait]
impl Fault for WritesWhatItRefuses {
    async fn commit(&self, inner: &dyn Adapter, commit: &Commit) -> Result<Outcome, StorageError> {
        let outcome = inner.commit(commit).await?;
        if matches!(outcome, Outcome::Refused(Refusal::Outdated)) {
            append_anyway(inner, commit).await?;
        }
        Ok(outcome)
    }
}

/// Takes `a` and `A` for the same stream.
#[derive(Default)]
pub(super) struct IgnoresCase;

#[async_trait]
impl Fault for IgnoresCase {
    async fn commit(&self, inner: &dyn Adapter, commit: &Commit) -> Result<Outcome, StorageError> {
        let name = commit.stream_id.as_str().to_lowercase();
        let commit = Commit {
            stream_id: StreamId::new(&name).expect("lower case is legal"),
            ..commit.clone()
        };
        inner.commit(&commit).await
    }
}
