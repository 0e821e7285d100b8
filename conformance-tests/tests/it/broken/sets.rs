//! Storages that do not keep the commits of a set together.

use async_trait::async_trait;
use ees_conformance::Adapter;
use ees_conformance::faults::Fault;
use ees_core::StorageError;
use ees_core::adapter::{CommitSet, Outcome, SetOutcome, SetRefusal};

/// Commits the members one after another, and stops at the first that is refused.
#[derive(Default)]
pub(super) struct TearsSets;

#[async_trait]
impl Fault for TearsSets {
    async fn commit_set(
        &self,
        inner: &dyn Adapter,
        set: &CommitSet,
    ) -> Result<SetOutcome, StorageError> {
        let mut checks = set.clone();
        let mut receipts = Vec::new();
        for (at, commit) in set.commits.iter().enumerate() {
            checks.commits = vec![commit.clone()];
            match inner.commit_set(&checks).await?.into_single() {
                Ok(Outcome::Committed(receipt)) => receipts.push(receipt),
                Ok(Outcome::Refused(refusal)) => {
                    let mut commits = vec![None; set.commits.len()];
                    commits[at] = Some(refusal);
                    let checks = vec![None; set.checks.len()];
                    return Ok(SetOutcome::Refused(SetRefusal { commits, checks }));
                }
                // A check was refused.
                Err(_) => return inner.commit_set(set).await,
            }
        }
        Ok(SetOutcome::Committed(receipts))
    }
}

/// Does not look at the checks.
#[derive(Default)]
pub(super) struct ForgetsChecks;

#[async_trait]
impl Fault for ForgetsChecks {
    async fn commit_set(
        &self,
        inner: &dyn Adapter,
        set: &CommitSet,
    ) -> Result<SetOutcome, StorageError> {
        unchecked(inner, set).await
    }
}

async fn unchecked(inner: &dyn Adapter, set: &CommitSet) -> Result<SetOutcome, StorageError> {
    let unchecked = CommitSet {
        checks: Vec::new(),
        ..set.clone()
    };
    let mut outcome = inner.commit_set(&unchecked).await?;
    if let SetOutcome::Refused(refusal) = &mut outcome {
        refusal.checks = vec![None; set.checks.len()];
    }
    Ok(outcome)
}

/// Looks at the checks before the commit, and not with it.
#[derive(Default)]
pub(super) struct ChecksBefore;

#[async_trait]
impl Fault for ChecksBefore {
    async fn commit_set(
        &self,
        inner: &dyn Adapter,
        set: &CommitSet,
    ) -> Result<SetOutcome, StorageError> {
        for check in &set.checks {
            let head = inner.head(&check.stream_id).await?;
            if check.expectation.check(head.as_ref()).is_some() {
                return inner.commit_set(set).await;
            }
        }
        tokio::task::yield_now().await;
        unchecked(inner, set).await
    }
}

/// Does not store that a changeset was committed in a set.
#[derive(Default)]
pub(super) struct ForgetsMarks;

#[async_trait]
impl Fault for ForgetsMarks {
    async fn commit_set(
        &self,
        inner: &dyn Adapter,
        set: &CommitSet,
    ) -> Result<SetOutcome, StorageError> {
        let mut set = set.clone();
        set.commits.iter_mut().for_each(|commit| commit.set = None);
        inner.commit_set(&set).await
    }
}

/// Tells only the first thing that does not hold.
#[derive(Default)]
pub(super) struct TellsOne;

#[async_trait]
impl Fault for TellsOne {
    async fn commit_set(
        &self,
        inner: &dyn Adapter,
        set: &CommitSet,
    ) -> Result<SetOutcome, StorageError> {
        let mut outcome = inner.commit_set(set).await?;
        if let SetOutcome::Refused(refusal) = &mut outcome {
            let all = refusal.commits.iter_mut().chain(&mut refusal.checks);
            let told = all.filter(|refusal| refusal.is_some());
            told.skip(1).for_each(|refusal| *refusal = None);
        }
        Ok(outcome)
    }
}

/// Gives the checkpoints in the opposite order.
#[derive(Default)]
pub(super) struct ReversesSets;

#[async_trait]
impl Fault for ReversesSets {
    async fn commit_set(
        &self,
        inner: &dyn Adapter,
        set: &CommitSet,
    ) -> Result<SetOutcome, StorageError> {
        let mut reversed = set.clone();
        reversed.commits.reverse();
        let mut outcome = inner.commit_set(&reversed).await?;
        match &mut outcome {
            SetOutcome::Committed(receipts) => receipts.reverse(),
            SetOutcome::Refused(refusal) => refusal.commits.reverse(),
        }
        Ok(outcome)
    }
}
