#![doc = include_str!("../README.md")]

use ees_core::{Error, EventStore, Events, NewChangeset, StreamId};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
enum AccountEvent {
    Deposited { cents: u64 },
    Withdrawn { cents: u64 },
}

/// The account's balance after an event.
fn apply(balance: u64, event: AccountEvent) -> u64 {
    match event {
        AccountEvent::Deposited { cents } => balance + cents,
        AccountEvent::Withdrawn { cents } => balance - cents,
    }
}

/// Loads the account, decides, commits; begins again if somebody else was faster.
async fn execute(
    store: &EventStore,
    account: &StreamId,
    decide: impl Fn(u64) -> Result<AccountEvent, &'static str>,
) -> Result<(), Box<dyn std::error::Error>> {
    loop {
        let (balance, expectation) = store.fold(account, 0, apply).await?;
        let events = Events::of(&[decide(balance)?])?;
        let asked = NewChangeset::new(account.clone(), expectation, events);
        match store.commit(asked).await {
            Err(Error::Conflict(_)) => {}
            committed => return Ok(committed.map(drop)?),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1).ok_or("usage: aggregate FILE")?;
    let storage = ees_sqlite::SqliteStorage::open(&ees_sqlite::SqliteConfig::new(file)).await?;
    let store = EventStore::new(std::sync::Arc::new(storage));
    store.close().await;
    Ok(())
}
