//! The aggregate beside others that commit to the same account.

// A test says what is wrong by panicking.
#![allow(clippy::unwrap_used)]

use super::*;

#[tokio::test]
async fn commands_that_race_are_all_decided_on_the_latest_balance() {
    let store = ees_storage::open("memory:").await.unwrap().store;
    let account: StreamId = "account-1".parse().unwrap();
    execute(&store, &account, Event::Deposited(100))
        .await
        .unwrap();
    let withdrawals = (0..8).map(|_| {
        let (store, account) = (store.clone(), account.clone());
        tokio::spawn(async move {
            execute(&store, &account, Event::Withdrawn(30))
                .await
                .unwrap()
        })
    });
    let mut done = 0;
    for withdrawal in withdrawals.collect::<Vec<_>>() {
        done += u64::from(withdrawal.await.unwrap());
    }
    let (balance, _) = store.fold(&account, 0, apply).await.unwrap();
    assert_eq!((done, balance), (3, 10));
}
