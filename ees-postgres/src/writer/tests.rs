//! Writers of two servers: one that freezes, and what they remember of streams.

use std::sync::Arc;

use ees_core::adapter::group_commit::judge;
use ees_core::adapter::{Commit, CommitSet};
use ees_core::{CommitId, Events, Expectation, Json, Timestamp, Written};
use ees_postgres_testkit::Database;

use super::*;
use crate::readers::Readers;
use crate::{PostgresConfig, opening};

fn commit(stream: &str) -> Commit {
    Commit {
        stream_id: StreamId::new(stream).unwrap(),
        expectation: Expectation::NEW_STREAM,
        events: Events::parse("[1]").unwrap(),
        metadata: Json::default(),
        commit_id: CommitId::generate(),
        set: None,
        timestamp: Timestamp::now(),
    }
}

/// The writers of two servers. Nobody listens for their news.
async fn writers(database: &Database) -> [Writer; 2] {
    let url = format!("{}?allow_fsync_off=true", database.url());
    let config: PostgresConfig = url.parse().unwrap();
    let sessions = Sessions::new(&config);
    opening::prepare(&config, &sessions).await.unwrap();
    let readers = Arc::new(Readers::new(sessions.clone(), 1));
    let (wake, _tasks) = Wake::start(&config, &sessions, &readers);
    [(); 2].map(|()| Writer::new(sessions.clone(), wake.clone()))
}

/// A server that stops in the middle of a transaction, its machine suspended, stops the others for
/// no longer than PostgreSQL lets it, and when it wakes up, it has committed nothing.
#[tokio::test]
async fn a_frozen_server_does_not_stop_the_others() {
    let database = Database::fresh().unwrap();
    let [mut frozen, mut other] = writers(&database).await;
    let (late, quick) = (commit("late"), commit("quick"));

    frozen.await_turn(&late).await.unwrap();
    let found = frozen
        .begin(std::slice::from_ref(&late.stream_id), &[])
        .await
        .unwrap();
    let planned = judge(found, &[CommitSet::of_one(late.clone())]);
    other.await_turn(&quick).await.unwrap();
    let found = other
        .begin(std::slice::from_ref(&quick.stream_id), &[])
        .await
        .unwrap();
    let plan = judge(found, &[CommitSet::of_one(quick.clone())]);
    other.commit(&plan.changesets).await.unwrap();
    let error = frozen.commit(&planned.changesets).await.unwrap_err();
    assert_eq!(error.written(), Written::None, "{error}");

    let streams = [late.stream_id.clone(), quick.stream_id];
    frozen.await_turn(&late).await.unwrap();
    let found = frozen.begin(&streams, &[]).await.unwrap();
    assert_eq!(found.next_checkpoint.get(), 1);
    assert_eq!(found.heads.len(), 1);
    let plan = judge(found, &[CommitSet::of_one(late.clone())]);
    frozen.commit(&plan.changesets).await.unwrap();
}

/// Commits to streams in one batch, and returns the heads that the batch was judged by.
async fn write(writer: &mut Writer, streams: &[&str], last: u64) -> Vec<u64> {
    let streams: Vec<_> = streams
        .iter()
        .map(|&id| StreamId::new(id).unwrap())
        .collect();
    let commits = streams.iter().map(|stream| Commit {
        expectation: Expectation::LastChangeset(last),
        ..commit(stream.as_str())
    });
    let commits: Vec<_> = commits.collect();
    writer.await_turn(&commits[0]).await.unwrap();
    let found = writer.begin(&streams, &[]).await.unwrap();
    let heads = streams.iter().map(|stream| found.heads.get(stream));
    let heads = heads.map(|head| head.map_or(0, |head| head.last_changeset.get()));
    let heads = heads.collect();
    let sets: Vec<_> = commits.into_iter().map(CommitSet::of_one).collect();
    let plan = judge(found, &sets);
    if plan.changesets.is_empty() {
        writer.rollback().await;
    } else {
        writer.commit(&plan.changesets).await.unwrap();
    }
    heads
}

/// G2: what a session remembers of its streams is not used once another server has written.
#[tokio::test]
async fn what_another_server_wrote_is_seen() {
    let database = Database::fresh().unwrap();
    let [mut one, mut other] = writers(&database).await;
    let both = ["a", "b"];
    assert_eq!(write(&mut one, &both, 0).await, [0, 0]);
    assert_eq!(write(&mut one, &both, 1).await, [1, 1], "remembered");
    assert_eq!(write(&mut other, &["a", "c"], 2).await, [2, 0]);
    assert_eq!(write(&mut one, &both, 9).await, [3, 2], "read again");
    assert_eq!(write(&mut other, &both, 2).await, [3, 2], "refused in part");
    assert_eq!(write(&mut one, &both, 3).await, [3, 3]);
    assert_eq!(write(&mut one, &both, 4).await, [4, 4]);
}
