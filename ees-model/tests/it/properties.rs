//! Commands at random, on several instances at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use ees_model::{Error, MemorySnapshots, Streams};
use futures_util::future::join_all;
use proptest::prelude::*;

use crate::account::{Account, Command};
use crate::watched::{Watched, accounts};

/// One of three accounts.
const IDS: [&str; 3] = ["a", "b", "c"];

#[derive(Debug, Clone)]
enum Asked {
    One(usize, Command),
    Transfer(usize, usize, u64),
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        (0u64..50).prop_map(Command::Deposit),
        (0u64..60).prop_map(Command::Withdraw),
    ]
}

/// Commands and their ids. An id stands for the same command whenever it is sent.
fn all_asked() -> impl Strategy<Value = Vec<Asked>> {
    let one = (0..3usize, command()).prop_map(|(id, command)| Asked::One(id, command));
    let transfer = (0..3usize, 1..3usize, 1u64..60)
        .prop_map(|(from, by, cents)| Asked::Transfer(from, (from + by) % 3, cents));
    proptest::collection::vec(prop_oneof![2 => one, 1 => transfer], 1..12)
}

/// What a command adds to each account, if it is accepted.
fn effect(asked: &Asked) -> [i64; 3] {
    let mut effect = [0; 3];
    match asked {
        Asked::One(id, Command::Deposit(cents)) => effect[*id] += cents.cast_signed(),
        Asked::One(id, Command::Withdraw(cents)) => effect[*id] -= cents.cast_signed(),
        Asked::Transfer(from, to, cents) => {
            effect[*from] -= cents.cast_signed();
            effect[*to] += cents.cast_signed();
        }
    }
    effect
}

/// Executes a command once. Returns whether it was accepted.
async fn execute(accounts: &Streams<Account, Watched>, id: usize, asked: Asked) -> bool {
    let id = format!("command-{id}");
    let done = match asked {
        Asked::One(at, command) => {
            let done = accounts.execute_once(IDS[at], id, command).await;
            done.map(drop)
        }
        Asked::Transfer(from, to, cents) => {
            let both = [
                (IDS[from], Command::Withdraw(cents)),
                (IDS[to], Command::Deposit(cents)),
            ];
            accounts.execute_all_once(id, both).await.map(drop)
        }
    };
    match done {
        Ok(()) => true,
        Err(Error::Refused(_)) => false,
        Err(error) => panic!("{error}"),
    }
}

async fn balances(accounts: &Streams<Account, Watched>) -> Vec<i64> {
    let mut balances = Vec::new();
    for id in IDS {
        let cents = accounts.load(id).await.unwrap().state.cents;
        balances.push(cents.cast_signed());
    }
    balances
}

/// Every command is sent twice, by two instances with and without snapshots, all at once. The balances
/// are the sum of what was accepted, each counted once, and no rule was broken.
async fn race(all: Vec<Asked>, every: u64) {
    let store = Watched::yielding();
    let plain = accounts(&store).with_tries(1000);
    let snapshots = Arc::new(MemorySnapshots::new(1024 * 1024));
    let kept = plain.clone().with_snapshots(snapshots, every);
    let sent = [&plain, &kept, &plain];
    let sent = sent.into_iter().flat_map(|accounts| {
        let all = all.iter().cloned().enumerate();
        all.map(async move |(id, asked)| (id, execute(accounts, id, asked).await))
    });
    let accepted: BTreeSet<usize> = join_all(sent)
        .await
        .into_iter()
        .filter_map(|(id, accepted)| accepted.then_some(id))
        .collect();
    let mut sum = [0; 3];
    for id in &accepted {
        for (sum, effect) in sum.iter_mut().zip(effect(&all[*id])) {
            *sum += effect;
        }
    }
    assert_eq!(balances(&plain).await, sum);
    assert_eq!(balances(&kept).await, sum);
    // A repeat of what was accepted is accepted, and changes nothing.
    for id in accepted {
        assert!(execute(&kept, id, all[id].clone()).await, "{id}");
    }
    assert_eq!(balances(&kept).await, sum);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn commands_that_race_are_executed_one_after_the_other(all in all_asked(), every in 1u64..5) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(race(all, every));
    }

    /// The same commands one after the other, with and without snapshots, on stores of their own.
    #[test]
    fn snapshots_change_nothing(all in all_asked(), every in 1u64..5, bytes in 0usize..2000) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (one, other) = (Watched::new(), Watched::new());
            let plain = accounts(&one);
            let kept = accounts(&other).with_snapshots(MemorySnapshots::new(bytes), every);
            for (id, asked) in all.into_iter().enumerate() {
                let accepted = execute(&plain, id, asked.clone()).await;
                assert_eq!(execute(&kept, id, asked).await, accepted);
                assert_eq!(balances(&plain).await, balances(&kept).await);
            }
        });
    }
}
