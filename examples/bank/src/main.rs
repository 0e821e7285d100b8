#![doc = include_str!("../README.md")]

use ees_model::{Decider, Streams};

/// The balance, in cents.
#[derive(Default)]
struct Account(u64);

enum Command {
    Deposit(u64),
    Withdraw(u64),
}

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
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

/// Deposits, makes a transfer, and says what became of it.
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = ees_storage::open("sqlite:./bank.db").await?.store;
    let accounts = Streams::<Account>::new(&store);
    accounts.execute("a", Command::Deposit(50)).await?;
    let transfer = [("a", Command::Withdraw(70)), ("b", Command::Deposit(70))];
    println!("{:?}", accounts.execute_all(transfer).await.map(drop));
    store.close().await;
    Ok(())
}

#[cfg(test)]
mod tests;
