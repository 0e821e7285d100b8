//! The decisions, and transfers that race.

// A test says what is wrong by panicking.
#![allow(clippy::unwrap_used)]

use ees_model::Error;
use ees_model::testing::given;

use super::*;

#[test]
fn a_withdrawal_needs_the_money() {
    given::<Account>([Event::Deposited(50)])
        .when(Command::Withdraw(51))
        .then_refused("the balance is too low")
        .when(Command::Withdraw(50))
        .then([Event::Withdrawn(50)]);
}

#[tokio::test]
async fn transfers_that_race_are_all_decided_on_the_latest_balances() {
    let store = ees_storage::open("memory:").await.unwrap().store;
    let accounts = Streams::<Account>::new(&store);
    accounts.execute("a", Command::Deposit(100)).await.unwrap();
    let transfers = (0..8).map(|number| {
        let accounts = accounts.clone();
        tokio::spawn(async move {
            let transfer = [("a", Command::Withdraw(30)), ("b", Command::Deposit(30))];
            let id = format!("transfer-{number}");
            match accounts.execute_all_once(id, transfer).await {
                Ok(_) => 1,
                Err(Error::Refused(_)) => 0,
                Err(error) => panic!("{error}"),
            }
        })
    });
    let mut done = 0;
    for transfer in transfers.collect::<Vec<_>>() {
        done += transfer.await.unwrap();
    }
    let (a, b) = (accounts.load("a").await, accounts.load("b").await);
    assert_eq!((done, a.unwrap().state.0, b.unwrap().state.0), (3, 10, 90));
}
