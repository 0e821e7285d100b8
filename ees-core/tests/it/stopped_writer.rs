//! A group-commit writer that stops early: every waiting caller gets an answer.

use std::time::Duration;

use async_trait::async_trait;
use ees_core::adapter::group_commit::{BatchLimit, BatchStore, GroupCommit, Snapshot};
use ees_core::adapter::{ClientKey, Commit};
use ees_core::{
    Changeset, CommitId, Events, Expectation, Json, StorageError, StreamId, Timestamp, Written,
};
use futures_util::future::join_all;
use tokio::time::timeout;

/// A database that panics when a transaction begins, or never lets one begin.
enum Broken {
    Panics,
    Hangs,
}

#[async_trait]
impl BatchStore for Broken {
    async fn await_turn(&mut self, _first: &Commit) -> Result<(), StorageError> {
        match self {
            Self::Panics => Ok(()),
            Self::Hangs => std::future::pending().await,
        }
    }

    async fn begin(
        &mut self,
        _streams: &[StreamId],
        _keys: &[ClientKey],
    ) -> Result<Snapshot, StorageError> {
        panic!("the driver has a bug");
    }

    async fn commit(&mut self, _changesets: &[Changeset]) -> Result<(), StorageError> {
        Ok(())
    }

    async fn rollback(&mut self) {}
}

fn commit() -> Commit {
    Commit {
        stream_id: "s".parse().unwrap(),
        expectation: Expectation::NEW_STREAM,
        events: Events::parse("[1]").unwrap(),
        metadata: Json::default(),
        commit_id: CommitId::generate(),
        set: None,
        timestamp: Timestamp::now(),
    }
}

/// Commits of eight callers: one in the batch, four in the queue, three that wait for room in it.
async fn answers(store: Broken) -> Vec<Written> {
    let limit = BatchLimit {
        commits: 1,
        queue: 4,
        ..BatchLimit::default()
    };
    let (commits, run) = GroupCommit::new(store, limit);
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let commits = commits.clone();
            tokio::spawn(async move { commits.commit(&commit()).await })
        })
        .collect();
    tokio::task::yield_now().await;
    let writer = tokio::spawn(run);
    tokio::task::yield_now().await;
    writer.abort();
    assert!(writer.await.is_err(), "it did not end by itself");
    let answers = timeout(Duration::from_mins(1), join_all(callers)).await;
    let answers = answers.expect("every waiting caller is answered");
    let late = commits.commit(&commit()).await;
    assert!(matches!(late, Err(StorageError::Unavailable { .. })));
    answers
        .into_iter()
        .map(|answer| match answer.unwrap() {
            Err(StorageError::Unavailable { written, .. }) => written,
            other => panic!("unavailable was expected: {other:?}"),
        })
        .collect()
}

#[tokio::test]
async fn a_writer_that_panics_answers_everyone() {
    let answers = answers(Broken::Panics).await;
    let unknown = answers
        .iter()
        .filter(|written| **written == Written::Unknown);
    assert_eq!(
        unknown.count(),
        1,
        "only the batch may have been written: {answers:?}"
    );
}

#[tokio::test]
async fn a_writer_that_is_aborted_answers_everyone() {
    let answers = answers(Broken::Hangs).await;
    let unknown = answers
        .iter()
        .filter(|written| **written == Written::Unknown);
    assert_eq!(
        unknown.count(),
        1,
        "only the batch may have been written: {answers:?}"
    );
}
