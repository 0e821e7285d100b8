// A bank account. The examples of the README include this file.

use ees_model::Decider;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) cents: u64,
}

#[derive(Debug, Clone)]
pub(crate) enum Command {
    Deposit(u64),
    Withdraw(u64),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Event {
    Deposited { cents: u64 },
    Withdrawn { cents: u64 },
}

pub(crate) const TOO_LOW: &str = "the balance is too low";

impl Decider for Account {
    type Command = Command;
    type Event = Event;
    type Error = &'static str;

    fn decide(&self, command: &Command) -> Result<Vec<Event>, &'static str> {
        match *command {
            Command::Deposit(0) | Command::Withdraw(0) => Ok(vec![]),
            Command::Deposit(cents) => Ok(vec![Event::Deposited { cents }]),
            Command::Withdraw(cents) if cents > self.cents => Err(TOO_LOW),
            Command::Withdraw(cents) => Ok(vec![Event::Withdrawn { cents }]),
        }
    }

    fn evolve(&mut self, event: &Event) {
        match event {
            Event::Deposited { cents } => self.cents += cents,
            Event::Withdrawn { cents } => self.cents -= cents,
        }
    }
}
