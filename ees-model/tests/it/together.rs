//! Commands on several streams that are executed together.

use ees_core::{Events, Expectation, Json, NewChangeset, StreamQuery};
use ees_model::{Error, Executed};

use crate::account::{Account, Command, TOO_LOW};
use crate::executing::{deposited, withdrawn};
use crate::watched::{Before, Watched, accounts};

fn transfer(cents: u64) -> [(&'static str, Command); 2] {
    [
        ("a", Command::Withdraw(cents)),
        ("b", Command::Deposit(cents)),
    ]
}

fn cents(executed: &[Executed<Account>]) -> Vec<u64> {
    executed.iter().map(|one| one.state.cents).collect()
}

fn ids(executed: Vec<Executed<Account>>) -> Vec<Option<u64>> {
    let receipts = executed.into_iter().map(|one| one.receipt);
    receipts
        .map(|receipt| receipt.map(|receipt| receipt.changeset_id.get()))
        .collect()
}

#[tokio::test]
async fn all_are_executed_or_none() {
    let store = Watched::new();
    let accounts = accounts(&store);
    accounts.execute("a", Command::Deposit(50)).await.unwrap();
    let done = accounts.execute_all(transfer(30)).await.unwrap();
    assert_eq!(cents(&done), [20, 30]);
    assert_eq!(ids(done), [Some(2), Some(1)]);
    let refused = accounts.execute_all(transfer(30)).await;
    assert!(matches!(refused, Err(Error::Refused(TOO_LOW))));
    assert_eq!(accounts.load("b").await.unwrap().state.cents, 30);
    let none: [(&str, Command); 0] = [];
    assert_eq!(accounts.execute_all(none).await.unwrap(), []);
}

#[tokio::test]
async fn a_conflict_of_any_stream_is_decided_again_without_another_read() {
    let store = Watched::new();
    let accounts = accounts(&store);
    store.append("a", &[deposited(100)]).await;
    store.before([
        Before::Others("b", vec![deposited(1)]),
        Before::Others("a", vec![withdrawn(20)]),
    ]);
    let done = accounts.execute_all(transfer(80)).await.unwrap();
    assert_eq!(cents(&done), [0, 81]);
    assert_eq!(store.calls(), (2, 3));

    store.append("a", &[deposited(100)]).await;
    store.before([Before::Others("a", vec![withdrawn(30)])]);
    let refused = accounts.execute_all(transfer(80)).await;
    assert!(matches!(refused, Err(Error::Refused(TOO_LOW))));

    store.before((0..2).map(|_| Before::Others("b", vec![deposited(1)])));
    let failed = accounts.with_tries(2).execute_all(transfer(1)).await;
    assert!(matches!(failed, Err(Error::TooManyConflicts { tries: 2 })));
}

/// A conflict of a set lists at most 100 changesets.
#[tokio::test]
async fn what_a_conflict_does_not_list_is_read() {
    let store = Watched::new();
    let accounts = accounts(&store);
    store.append("a", &[deposited(5)]).await;
    store.before([Before::Others("a", vec![deposited(1); 150])]);
    let done = accounts.execute_all(transfer(5)).await.unwrap();
    assert_eq!(cents(&done), [150, 5]);
}

#[tokio::test]
async fn a_stream_without_events_has_to_be_as_it_was() {
    let store = Watched::new();
    let accounts = accounts(&store);
    let commands = || [("a", Command::Deposit(0)), ("b", Command::Deposit(7))];
    store.before([Before::Others("a", vec![deposited(1)])]);
    let done = accounts.execute_all_once("t-1", commands()).await.unwrap();
    assert_eq!(cents(&done), [1, 7]);
    assert_eq!(ids(done), [None, Some(1)]);
    assert_eq!(store.calls(), (2, 2), "the first one conflicted");
    let again = accounts.execute_all_once("t-1", commands()).await.unwrap();
    assert_eq!(ids(again), [None, Some(1)]);

    let nothing = [("a", Command::Deposit(0)), ("b", Command::Deposit(0))];
    let done = accounts.execute_all_once("t-2", nothing).await.unwrap();
    assert_eq!(ids(done), [None, None]);
}

#[tokio::test]
async fn commands_with_an_id_are_executed_once() {
    let store = Watched::new();
    let accounts = accounts(&store);
    accounts.execute("a", Command::Deposit(50)).await.unwrap();
    let first = accounts
        .execute_all_once("t-1", transfer(30))
        .await
        .unwrap();
    accounts.execute("b", Command::Withdraw(10)).await.unwrap();
    // The balance does not allow it any more.
    let again = accounts
        .execute_all_once("t-1", transfer(30))
        .await
        .unwrap();
    assert_eq!(cents(&again), [20, 20]);
    assert_eq!(ids(again), ids(first));

    store.before((0..3).map(|_| Before::LostAnswer));
    let failed = accounts.execute_all_once("t-2", transfer(20)).await;
    assert!(matches!(failed, Err(Error::Store(_))));
    let again = accounts
        .execute_all_once("t-2", transfer(20))
        .await
        .unwrap();
    assert_eq!(cents(&again), [0, 40]);
}

/// Its id was used for another command: that is said, and nothing is executed.
#[tokio::test]
async fn an_id_names_the_same_commands_only() {
    let store = Watched::new();
    let accounts = accounts(&store);
    for account in ["a", "b", "c"] {
        accounts
            .execute(account, Command::Deposit(50))
            .await
            .unwrap();
    }
    accounts
        .execute_all_once("t-1", transfer(10))
        .await
        .unwrap();
    let to_another = [("a", Command::Withdraw(10)), ("c", Command::Deposit(10))];
    let reused = accounts.execute_all_once("t-1", to_another).await;
    assert!(matches!(reused, Err(Error::CommandIdReused { .. })));
    let alone = accounts
        .execute_once("a", "t-1", Command::Withdraw(10))
        .await;
    assert!(matches!(alone, Err(Error::CommandIdReused { .. })));
    accounts
        .execute_once("a", "c-1", Command::Withdraw(10))
        .await
        .unwrap();
    let together = accounts.execute_all_once("c-1", transfer(10)).await;
    assert!(matches!(together, Err(Error::CommandIdReused { .. })));
    for (account, cents) in [("a", 30), ("b", 60), ("c", 50)] {
        assert_eq!(accounts.load(account).await.unwrap().state.cents, cents);
    }
}

#[tokio::test]
async fn metadata_is_committed() {
    let store = Watched::new();
    let metadata = Json::parse(r#"{"user": "ann"}"#).unwrap();
    let accounts = accounts(&store).with_metadata(metadata.clone());
    accounts.execute("a", Command::Deposit(50)).await.unwrap();
    accounts.execute_all(transfer(30)).await.unwrap();
    let query = StreamQuery::all("a".parse().unwrap());
    let page = store.store.changesets(&query).await.unwrap();
    assert_eq!(page.items.len(), 2);
    assert!(page.items.iter().all(|one| one.metadata == metadata));
    // What another program commits has none.
    let events = Events::parse(&format!("[{}]", deposited(1))).unwrap();
    let asked = NewChangeset::new("a".parse().unwrap(), Expectation::LastChangeset(2), events);
    store.store.commit(asked).await.unwrap();
    assert_eq!(accounts.load("a").await.unwrap().state.cents, 21);
}

/// A service calls them in tasks of a runtime with several threads.
#[test]
fn calls_can_move_between_threads() {
    fn is_send<T: Send>(_: T) {}
    let accounts = accounts(&Watched::new());
    is_send(accounts.load("a"));
    is_send(accounts.execute("a", Command::Deposit(1)));
    is_send(accounts.execute_once("a", "c-1", Command::Deposit(1)));
    is_send(accounts.execute_all(transfer(1)));
    is_send(accounts.execute_all_once(String::new(), transfer(1)));
}
