//! The table's stream, as whoever indexes follows it.

use std::sync::Arc;

use ees_core::adapter::{ChangesetKey, CommitFeed, Import, Index, SweepCursor};
use ees_core::{CheckpointStore, Expectation, Timestamp};
use ees_dynamodb::{DynamoConfig, DynamoStorage, Follower};
use ees_dynamodb_testkit::{Emulator, Plan, Proxy, Shards};

use crate::importing;
use crate::order::key;
use crate::sets::{committed, keyed, set};
use crate::store::{commit, config, create, open, sdk};

async fn follower(config: &DynamoConfig, storage: &Arc<DynamoStorage>) -> Follower {
    let opened = Follower::open(Arc::clone(storage), &sdk(config).await).await;
    opened.unwrap()
}

/// Follows until so many commits were told; they, and whether there was a gap.
async fn told(follower: &mut Follower, count: usize) -> (Vec<ChangesetKey>, bool) {
    let (mut committed, mut gap) = (Vec::new(), false);
    while committed.len() < count {
        let told = follower.next().await.unwrap();
        committed.extend(told.keys);
        gap |= told.gap;
    }
    (committed, gap)
}

/// What was told and not dealt with is told again to who follows next, with the gap.
#[tokio::test]
async fn every_commit_is_told_until_it_was_dealt_with() {
    let emulator = Emulator::start().unwrap();
    let config = config(emulator.endpoint());
    create(&config).await;
    let storage = open(&config).await;
    commit(&storage, "a", 0).await;
    commit(&storage, "b", 0).await;
    let both = [key("a", 1), key("b", 1)];

    let mut first = follower(&config, &storage).await;
    assert_eq!(told(&mut first, 2).await, (both.to_vec(), true));
    // The gap is still open: nobody has swept.
    first.done().await.unwrap();

    let mut second = follower(&config, &storage).await;
    assert_eq!(told(&mut second, 2).await, (both.to_vec(), true));
    second.close_gap();
    second.done().await.unwrap();

    commit(&storage, "a", 1).await;
    let mut third = follower(&config, &storage).await;
    assert_eq!(told(&mut third, 1).await, (vec![key("a", 2)], false));
}

/// G14: an imported changeset has its position, and is no commit to tell of.
#[tokio::test]
async fn an_import_is_not_told() {
    let emulator = Emulator::start().unwrap();
    let config = config(emulator.endpoint());
    create(&config).await;
    let storage = open(&config).await;
    importing::begun(&storage, 0).await;
    let page = importing::page(vec![importing::changeset(0, "a", 1)]);
    importing::imported(&storage, 0, &page).await;
    storage.finish_import().await.unwrap();
    commit(&storage, "a", 1).await;
    let mut follower = follower(&config, &storage).await;
    assert_eq!(told(&mut follower, 1).await.0, [key("a", 2)]);
}

/// Leaves the calls as they are.
struct Through;

impl Plan for Through {}

/// The stream of a table with several partitions has several shards, which are read side by side. The
/// next follower continues each of them.
#[tokio::test]
async fn the_commits_of_several_shards_are_told() {
    let emulator = Emulator::start().unwrap();
    let shards = Arc::new(Shards::new(4, Arc::new(Through)));
    let proxy = Proxy::start(emulator.endpoint(), shards).await.unwrap();
    let config = config(&proxy.endpoint);
    create(&config).await;
    let storage = open(&config).await;
    let names: Vec<String> = (0..20).map(|stream| format!("s{stream}")).collect();
    let mut first = follower(&config, &storage).await;
    for last in 0..2 {
        for name in &names {
            commit(&storage, name, last).await;
        }
        let (mut told, _) = told(&mut first, names.len()).await;
        assert_eq!(told.len(), names.len());
        let together: Vec<_> = names.iter().map(|name| key(name, last + 1)).collect();
        assert_ne!(told, together, "shard by shard");
        told.sort();
        let mut wanted = together;
        wanted.sort();
        assert_eq!(told, wanted, "each once");
        first.close_gap();
        first.done().await.unwrap();
        first = follower(&config, &storage).await;
    }
}

/// A partition splits while its shard is read: its children have what follows, also for who follows next.
#[tokio::test]
async fn the_commits_after_a_split_are_told() {
    let emulator = Emulator::start().unwrap();
    let shards = Arc::new(Shards::new(2, Arc::new(Through)));
    let plan = Arc::clone(&shards) as Arc<dyn Plan>;
    let proxy = Proxy::start(emulator.endpoint(), plan).await.unwrap();
    let config = config(&proxy.endpoint);
    create(&config).await;
    let storage = open(&config).await;
    let names: Vec<String> = (0..10).map(|stream| format!("s{stream}")).collect();
    let commit_each = async |last| {
        for name in &names {
            commit(&storage, name, last).await;
        }
    };
    // All of a round, each once.
    let tells = async |follower: &mut Follower, round| {
        let (mut told, _) = told(follower, names.len()).await;
        told.sort();
        let mut wanted: Vec<_> = names.iter().map(|name| key(name, round)).collect();
        wanted.sort();
        assert_eq!(told, wanted);
        follower.close_gap();
        follower.done().await.unwrap();
    };
    let mut first = follower(&config, &storage).await;
    commit_each(0).await;
    tells(&mut first, 1).await;
    shards.split();
    commit_each(1).await;
    tells(&mut first, 2).await;
    // The first one has not saved that yet.
    let mut second = follower(&config, &storage).await;
    tells(&mut second, 2).await;
    let mut third = follower(&config, &storage).await;
    commit_each(2).await;
    tells(&mut third, 3).await;
}

/// A transaction is told like single commits: one record for each changeset, none for a check.
#[tokio::test]
async fn each_changeset_of_a_set_is_told() {
    let emulator = Emulator::start().unwrap();
    let config = config(emulator.endpoint());
    create(&config).await;
    let storage = open(&config).await;
    let checks = [("c", Expectation::NEW_STREAM)];
    let pair = keyed(set(&[("a", 0), ("b", 0)], &checks), "k");
    committed(&storage, &pair).await;
    let mut follower = follower(&config, &storage).await;
    let (keys, _) = told(&mut follower, 2).await;
    assert_eq!(keys, [key("a", 1), key("b", 1)]);
    let mut indexer = ees_core::indexer::Indexer::new(Arc::clone(&storage) as _);
    assert_eq!(indexer.index(keys).await.unwrap().written, 2);
}

/// What is written to an item later is no commit, nor are items of the store's own.
#[tokio::test]
async fn only_commits_are_told() {
    let emulator = Emulator::start().unwrap();
    let config = config(emulator.endpoint());
    create(&config).await;
    let storage = open(&config).await;
    commit(&storage, "a", 0).await;
    let mut follower = follower(&config, &storage).await;
    told(&mut follower, 1).await;
    let mut indexer = ees_core::indexer::Indexer::new(Arc::clone(&storage) as _);
    assert_eq!(indexer.index([key("a", 1)]).await.unwrap().written, 1);
    commit(&storage, "a", 1).await;
    let (committed, _) = told(&mut follower, 1).await;
    assert_eq!(committed, [key("a", 2)]);
}

/// The time of the last sweep and the cursor of one that is under way do not disturb each other, and
/// no subscription's checkpoint is where either is.
#[tokio::test]
async fn the_last_sweep_is_remembered_beside_the_cursor() {
    let emulator = Emulator::start().unwrap();
    let config = config(emulator.endpoint());
    create(&config).await;
    let storage = open(&config).await;
    assert_eq!(storage.last_sweep().await.unwrap(), None);

    let begun: Timestamp = "2026-01-05T13:15:30.5Z".parse().unwrap();
    let cursor = Some(SweepCursor("here".to_owned()));
    storage.save_sweep_cursor(cursor.as_ref()).await.unwrap();
    storage.save_sweep(begun).await.unwrap();
    assert_eq!(storage.sweep_cursor().await.unwrap(), cursor);
    storage.save_sweep_cursor(None).await.unwrap();
    assert_eq!(open(&config).await.last_sweep().await.unwrap(), Some(begun));
    let subscription = storage.load_checkpoint("ees-sweep").await.unwrap();
    assert_eq!(subscription, None);

    let later = "2026-01-06T13:15:30Z".parse().unwrap();
    storage.save_sweep(later).await.unwrap();
    assert_eq!(storage.last_sweep().await.unwrap(), Some(later));
}
