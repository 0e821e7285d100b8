//! Deciders and a projection of `ees-model` over the client, while the server is killed.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use ees_client::ConsumerDefinition;
use ees_model::{Decider, Error, Projecting, Projection, Recorded, Streams};
use serde::{Deserialize, Serialize};

use super::in_rust::{client, serve, write_under_kills};
use crate::process::sqlite;

const ACCOUNTS: usize = 4;
const TRANSFERS: usize = 60;

/// The balance, in cents.
#[derive(Debug, Default)]
struct Account(u64);

#[derive(Clone, Copy)]
enum Command {
    Deposit(u64),
    Withdraw(u64),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Event {
    Deposited(u64),
    Withdrawn(u64),
}

impl Decider for Account {
    type Command = Command;
    type Event = Event;
    type Error = &'static str;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, &'static str> {
        match *command {
            Command::Deposit(cents) => Ok(vec![Event::Deposited(cents)]),
            Command::Withdraw(cents) if cents > self.0 => Err("the balance is too low"),
            Command::Withdraw(cents) => Ok(vec![Event::Withdrawn(cents)]),
        }
    }

    fn evolve(&mut self, event: &Event) {
        match event {
            Event::Deposited(cents) => self.0 += cents,
            Event::Withdrawn(cents) => self.0 -= cents,
        }
    }
}

/// What each account has, by changesets that are applied once.
#[derive(Default)]
struct Balances(BTreeMap<String, (u64, Account)>);

impl Projection for Balances {
    type Event = Event;
    type Error = Infallible;

    async fn apply(&mut self, changesets: &[Recorded<Event>]) -> Result<(), Infallible> {
        for changeset in changesets {
            let of_stream = self.0.entry(changeset.stream_id.to_string());
            let (applied, account) = of_stream.or_default();
            if changeset.changeset_id.get() > *applied {
                *applied = changeset.changeset_id.get();
                changeset
                    .events
                    .iter()
                    .for_each(|event| account.evolve(event));
            }
        }
        Ok(())
    }
}

fn name(account: usize) -> String {
    format!("account-{}", account % ACCOUNTS)
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_and_a_projection_survive_sigkill() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = serve(&sqlite(&folder.path().join("ees.db"))).await;
    let store = client(&server);
    let accounts = Streams::<Account, _>::new(&store).with_tries(100);
    for account in 0..ACCOUNTS {
        let account = name(account);
        let deposit = accounts.execute(&*account, Command::Deposit(100)).await;
        deposit.expect("a deposit");
    }
    let transfer = async |number: usize| {
        let both = [
            (name(number), Command::Withdraw(3)),
            (name(number + 1), Command::Deposit(3)),
        ];
        let id = format!("transfer-{number}");
        let done = accounts.execute_all_once(&*id, both.clone()).await;
        done.unwrap_or_else(|error| panic!("{id}: {error}"));
        let again = accounts.execute_all_once(&*id, both).await;
        again.unwrap_or_else(|error| panic!("{id}, once more: {error}"));
    };
    write_under_kills(&mut server, TRANSFERS, transfer).await;

    // Each account has given and got the same number of times.
    for account in 0..ACCOUNTS {
        let loaded = accounts.load(&*name(account)).await.expect("it is read");
        assert_eq!(loaded.state.0, 100, "{}", name(account));
    }
    let refused = accounts.execute("account-0", Command::Withdraw(101)).await;
    assert!(matches!(
        refused,
        Err(Error::Refused("the balance is too low"))
    ));

    let balances = "balances".parse().expect("a name");
    let definition = ConsumerDefinition::default();
    let defined = store.define_consumer(&balances, &definition).await;
    defined.expect("it is defined");
    let mut worker = Projecting::new(&store, "balances", Balances::default()).expect("a name");
    let seen = |worker: &Projecting<Balances, _>| {
        let accounts = worker.projection().0.values();
        accounts.map(|(applied, _)| applied).sum::<u64>()
    };
    while seen(&worker) < (ACCOUNTS + 2 * TRANSFERS) as u64 {
        worker.step(Duration::from_secs(1)).await.expect("a batch");
    }
    let balances = worker.projection().0.values().map(|(_, account)| account.0);
    assert_eq!(balances.collect::<Vec<_>>(), [100; ACCOUNTS]);
}
