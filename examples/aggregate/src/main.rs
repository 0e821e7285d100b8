#![doc = include_str!("../README.md")]

use ees_core::{Error, EventStore, Events, NewChangeset, StreamId};
use serde::{Deserialize, Serialize};

/// What happens to an account, in cents.
#[derive(Clone, Copy, Serialize, Deserialize)]
enum Event {
    Deposited(u64),
    Withdrawn(u64),
}

/// The balance after an event.
fn apply(balance: u64, event: Event) -> u64 {
    match event {
        Event::Deposited(cents) => balance + cents,
        Event::Withdrawn(cents) => balance - cents,
    }
}

/// Loads the account, decides, commits; begins again on a conflict. `false` if the balance is too low.
async fn execute(store: &EventStore, id: &StreamId, event: Event) -> Result<bool, Error> {
    loop {
        let (balance, expectation) = store.fold(id, 0, apply).await?;
        if matches!(event, Event::Withdrawn(cents) if cents > balance) {
            return Ok(false);
        }
        let asked = NewChangeset::new(id.clone(), expectation, Events::of(&[event])?);
        match store.commit(asked).await {
            Err(Error::Conflict(_)) => {} // Another commit was faster.
            committed => return committed.map(|_| true),
        }
    }
}

/// Deposits, withdraws, and says whether the balance was high enough.
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = ees_storage::open("sqlite:./bank.db").await?.store;
    let id = "account-1".parse()?;
    execute(&store, &id, Event::Deposited(50)).await?;
    println!("{}", execute(&store, &id, Event::Withdrawn(70)).await?);
    store.close().await;
    Ok(())
}

#[cfg(test)]
mod tests;
