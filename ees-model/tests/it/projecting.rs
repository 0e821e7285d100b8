//! Projections: exactly-once in effect, and what cannot be applied.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ees_core::consumer::{ConsumerDefinition, ConsumerName};
use ees_core::{Checkpoint, CommitId, StreamQuery};
use ees_model::{Decider, Projecting, Projection, Recorded, Streams};

use crate::account::{Account, Command, Event};
use crate::executing::deposited;
use crate::watched::{Watched, accounts};

const NOW: Duration = Duration::ZERO;

/// The sum of all deposits, in a database with transactions: the first way.
#[derive(Debug, Default)]
struct Deposits {
    cents: u64,
    /// For each stream the last changeset that is in the sum.
    applied: BTreeMap<String, u64>,
    /// How many changesets came, with those that came again.
    came: Vec<usize>,
    /// A deposit that the database refuses.
    refused: u64,
}

impl Projection for Deposits {
    type Event = Event;
    type Error = &'static str;

    async fn apply(&mut self, changesets: &[Recorded<Event>]) -> Result<(), &'static str> {
        self.came.push(changesets.len());
        let (mut cents, mut applied) = (self.cents, self.applied.clone());
        for changeset in changesets {
            let stream = changeset.stream_id.as_str().to_owned();
            let last = applied.entry(stream).or_default();
            if changeset.changeset_id.get() <= *last {
                continue;
            }
            *last = changeset.changeset_id.get();
            for event in &changeset.events {
                match event {
                    Event::Deposited { cents } if *cents == self.refused => {
                        return Err("the database refuses this");
                    }
                    Event::Deposited { cents: deposit } => cents += deposit,
                    Event::Withdrawn { .. } => {}
                }
            }
        }
        (self.cents, self.applied) = (cents, applied);
        Ok(())
    }
}

fn name() -> ConsumerName {
    "deposits".parse().unwrap()
}

async fn define(store: &Watched, definition: &ConsumerDefinition) {
    let consumers = store.store.consumers().unwrap();
    assert!(consumers.define(&name(), definition).await.unwrap());
}

async fn filled() -> Watched {
    let store = Watched::new();
    define(&store, &ConsumerDefinition::default()).await;
    for cents in 1..=6 {
        let stream = format!("account-{}", cents % 3);
        store.append(&stream, &[deposited(cents)]).await;
    }
    store
}

fn projecting(store: &Watched, projection: Deposits) -> Projecting<Deposits> {
    Projecting::new(&store.store, "deposits", projection).unwrap()
}

#[tokio::test]
async fn a_batch_is_applied_together() {
    let store = filled().await;
    let mut worker = projecting(&store, Deposits::default()).limit(4);
    while worker.step(NOW).await.unwrap() {}
    assert_eq!(worker.projection().came, [4, 2]);
    assert_eq!(worker.projection().cents, 21);
}

#[tokio::test]
async fn what_comes_again_is_applied_once() {
    let store = filled().await;
    let consumers = store.store.consumers().unwrap();
    let mut worker = projecting(&store, Deposits::default());
    for _ in 0..2 {
        assert!(worker.step(NOW).await.unwrap());
        assert_eq!(worker.projection().cents, 21);
        consumers.reset(&name(), Checkpoint::FIRST).await.unwrap();
    }
    assert_eq!(worker.projection().came, [6, 6]);
}

#[tokio::test]
async fn what_cannot_be_applied_or_read_parks_its_stream() {
    let store = filled().await;
    store
        .append("account-2", &[r#"{"type": "frozen"}"#.to_owned()])
        .await;
    store.append("account-2", &[deposited(40)]).await;
    let refusing = Deposits {
        refused: 1,
        ..Deposits::default()
    };
    let mut worker = projecting(&store, refusing);
    assert!(worker.step(NOW).await.unwrap());
    assert!(!worker.step(NOW).await.unwrap());
    // Account 0 has 3 and 6, account 2 has 2 and 5 before the event of unknown form.
    assert_eq!(worker.projection().cents, 16);
    let consumers = store.store.consumers().unwrap();
    let parked = consumers.parked(&name(), None, 10).await.unwrap().items;
    let parked: Vec<_> = parked
        .iter()
        .map(|one| (one.stream_id.as_str(), one.error.as_str()))
        .collect();
    assert_eq!(parked.len(), 2, "{parked:?}");
    assert_eq!(parked[0], ("account-1", "the database refuses this"));
    assert_eq!(parked[1].0, "account-2");
    assert!(
        parked[1]
            .1
            .contains("cannot be read: unknown variant `frozen`")
    );
}

/// A batch whose lease has ended is not worked on one by one: it is another worker's.
#[tokio::test]
async fn a_lease_that_has_ended_leaves_the_rest() {
    let store = filled().await;
    let hasty = store.without_lease();
    let refusing = Deposits {
        refused: 1,
        ..Deposits::default()
    };
    let mut worker = Projecting::new(&hasty, "deposits", refusing).unwrap();
    for tries in 1..3 {
        assert!(worker.step(NOW).await.unwrap());
        assert_eq!(worker.projection().came, vec![6; tries]);
        assert_eq!(worker.projection().cents, 0);
    }
    let mut worker = projecting(&store, Deposits::default());
    while worker.step(NOW).await.unwrap() {}
    assert_eq!(worker.projection().cents, 21, "nothing was acknowledged");
}

/// A process: each withdrawal costs a fee, which is booked on another account. The second way.
struct Fees(Streams<Account, Watched>);

impl Projection for Fees {
    type Event = Event;
    type Error = String;

    async fn apply(&mut self, changesets: &[Recorded<Event>]) -> Result<(), String> {
        for changeset in changesets {
            for (index, event) in changeset.events.iter().enumerate() {
                if let Event::Withdrawn { .. } = event {
                    let id = changeset.command_id(&format!("fee-{index}"));
                    let booked = self.0.execute_once("fees", id, Command::Deposit(1)).await;
                    booked.map_err(|error| error.to_string())?;
                }
            }
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_process_sends_a_command_once() {
    let store = Watched::new();
    define(&store, &ConsumerDefinition::default()).await;
    let accounts = accounts(&store);
    for account in ["a", "é"] {
        accounts
            .execute(account, Command::Deposit(9))
            .await
            .unwrap();
        accounts
            .execute(account, Command::Withdraw(5))
            .await
            .unwrap();
    }
    let mut worker = Projecting::new(&store, "deposits", Fees(accounts.clone())).unwrap();
    let consumers = store.store.consumers().unwrap();
    for _ in 0..3 {
        while worker.step(NOW).await.unwrap() {}
        assert_eq!(accounts.load("fees").await.unwrap().state.cents, 2);
        consumers.reset(&name(), Checkpoint::FIRST).await.unwrap();
    }
}

#[tokio::test]
async fn an_id_of_a_command_says_what_caused_it() {
    let store = Watched::new();
    let long = "x".repeat(1000);
    let mut ids = BTreeSet::new();
    for stream in ["a", "ees-a", "é", &long] {
        store.append(stream, &[deposited(1), deposited(2)]).await;
        let query = StreamQuery::all(stream.parse().unwrap());
        for changeset in store.store.changesets(&query).await.unwrap().items {
            let read = Recorded::<Event>::read(&changeset, Account::UPCASTS).unwrap();
            assert_eq!(read.events.len(), 1);
            for purpose in ["fee", "fee-1", "ees-fee", "fee:1", "é", ""] {
                let id = read.command_id(purpose);
                assert_eq!(id, read.command_id(purpose));
                assert!(CommitId::new(&id).unwrap().is_clients(), "{id}");
                assert!(ids.insert(id));
            }
        }
    }
    assert!(ids.contains("fee:2:ees-a"));
}

#[tokio::test]
async fn a_consumer_that_is_not_defined_ends_the_worker() {
    let store = Watched::new();
    let mut worker = projecting(&store, Deposits::default());
    let ended = tokio::spawn(async move { worker.run().await });
    let ended = ended.await.unwrap().unwrap_err();
    assert_eq!(ended.to_string(), "consumer `deposits` does not exist");
    let no_name = Projecting::<_, Watched>::new(&store, "", Deposits::default());
    assert!(no_name.is_err());
}
