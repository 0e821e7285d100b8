//! Batches that come twice, late, in another order or never, and functions that are killed.

use std::sync::atomic::Ordering;
use std::time::Duration;

use ees_aws_testkit::{Options, Services};
use serde_json::Value;

use super::subscribers::Subscribers;
use super::{
    API, INDEXER, INDEXER_STREAM, PUBLISHER, PUBLISHER_STREAM, REDRIVE, SWEEP, Stack, options,
};

/// Numbers that look random, the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let high = usize::try_from(self.0 >> 33).unwrap();
        high % limit
    }
}

/// Delivers some batches twice, and some that were done before once more.
fn repeats(seed: u64) -> impl FnMut(Vec<Value>) -> Vec<Vec<Value>> + Send + 'static {
    let mut chance = Chance(seed);
    let mut before: Vec<Vec<Value>> = Vec::new();
    move |batch| {
        let mut batches = vec![batch.clone()];
        if chance.below(2) == 0 {
            batches.push(batch.clone());
        }
        if !before.is_empty() && chance.below(3) == 0 {
            let old = before[chance.below(before.len())].clone();
            batches.insert(chance.below(batches.len() + 1), old);
        }
        before.push(batch);
        batches
    }
}

/// Repeats, and has the records of a batch in any order, each alone or together.
fn scatters(seed: u64) -> impl FnMut(Vec<Value>) -> Vec<Vec<Value>> + Send + 'static {
    let mut chance = Chance(seed);
    let mut repeats = repeats(seed + 1);
    move |batch| {
        let mut batches = repeats(batch);
        for batch in &mut batches {
            for index in (1..batch.len()).rev() {
                batch.swap(index, chance.below(index + 1));
            }
        }
        let size = chance.below(7) + 1;
        let parts = batches.iter().flat_map(|batch| batch.chunks(size));
        parts.map(<[Value]>::to_vec).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_that_come_twice_and_in_another_order_change_nothing() {
    let stack = Stack::start().await;
    let subscribers = Subscribers::of(&stack).await;
    stack.aws.disturb(INDEXER_STREAM, || scatters(1)).unwrap();
    stack.aws.disturb(PUBLISHER_STREAM, || repeats(2)).unwrap();
    let committed = stack.fill(8, 4).await;
    stack.aws.split_shards();
    let committed = stack.fill_on(&committed, 8).await;
    stack.settle(&committed).await;
    assert!(stack.sum(INDEXER, "IndexedChangesets") >= committed.total());
    subscribers.got_all(&stack, &committed).await;
    assert_eq!(stack.failures().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_indexers_and_two_publishers_at_once_are_as_one() {
    let twice = Options {
        pollers: 2,
        ..options()
    };
    let stack = Stack::with(Services::start().await.unwrap(), twice).await;
    let subscribers = Subscribers::of(&stack).await;
    let committed = stack.fill(8, 8).await;
    stack.settle(&committed).await;
    subscribers.got_all(&stack, &committed).await;
    assert_eq!(stack.failures().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_that_are_killed_at_any_moment_lose_nothing() {
    let stack = Stack::start().await;
    let subscribers = Subscribers::of(&stack).await;
    let mut chance = Chance(3);
    // Each is killed once it has done something again, so that all go on, however slowly.
    let done = |id| match id {
        API => stack.committed.load(Ordering::Relaxed),
        id => stack.function(id).init_times().len(),
    };
    let kills = async {
        let mut last = [0; 4];
        loop {
            tokio::time::sleep(Duration::from_millis(chance.below(200) as u64 + 20)).await;
            let which = chance.below(4);
            let id = [API, INDEXER, PUBLISHER, REDRIVE][which];
            if done(id) > last[which] {
                last[which] = done(id);
                stack.function(id).kill();
            }
        }
    };
    let was_hit = || stack.function(INDEXER).init_times().len() > 1;
    let commits = async {
        let mut committed = stack.fill(6, 12).await;
        for changesets in 13..500 {
            if was_hit() {
                break;
            }
            committed = stack.fill_on(&committed, changesets).await;
        }
        committed
    };
    let committed = tokio::select! {
        committed = commits => committed,
        () = kills => unreachable!("it has no end"),
    };
    assert!(was_hit(), "the indexer was killed, and began anew");
    // Who was killed too often is put aside.
    stack.settle_redriven(&committed).await;
    subscribers.got_all(&stack, &committed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_stream_lost_the_sweep_finds() {
    let stack = Stack::start().await;
    let first = stack.fill(3, 5).await;
    stack.settle(&first).await;
    stack
        .aws
        .disturb(INDEXER_STREAM, || |_| Vec::new())
        .unwrap();
    let committed = stack.fill_on(&first, 5).await;
    stack.aws.settle().await;
    assert_eq!(
        stack.order().await.len() as u64,
        first.total(),
        "they are lost"
    );
    let swept = stack.scheduled(SWEEP).await;
    assert_eq!(swept["done"], true, "{swept}");
    // Less if it had to be run again: the global order tells that it found all.
    assert!(swept["found"].as_u64().unwrap() <= committed.total() - first.total());
    stack.settle(&committed).await;
}
