//! Tests of a decider without a store, and that they can fail.

use std::panic::{UnwindSafe, catch_unwind};

use ees_model::Decider;
use ees_model::testing::given;
use serde::{Deserialize, Serialize};

use crate::account::{Account, Command, Event, TOO_LOW};

#[test]
fn a_withdrawal_needs_the_money() {
    let account = given::<Account>([Event::Deposited { cents: 100 }])
        .when(Command::Withdraw(70))
        .then([Event::Withdrawn { cents: 70 }])
        .when(Command::Withdraw(31))
        .then_refused(TOO_LOW)
        .when(Command::Withdraw(0))
        .then([]);
    assert_eq!(account.state().cents, 30);
}

fn fails<T>(test: impl FnOnce() -> T + UnwindSafe) -> String {
    let panic = catch_unwind(test).err().unwrap();
    *panic.downcast::<String>().unwrap()
}

#[test]
fn what_is_not_as_said_fails() {
    let when = |command| given::<Account>([]).when(command);
    let others = fails(|| when(Command::Deposit(1)).then([Event::Deposited { cents: 2 }]));
    assert!(others.contains("what follows"), "{others}");
    let refused = fails(|| when(Command::Withdraw(1)).then([]));
    assert_eq!(refused, "the command is refused: the balance is too low");
    let not_refused = fails(|| when(Command::Deposit(1)).then_refused(TOO_LOW));
    assert!(not_refused.contains("is not refused: [Deposited { cents: 1 }] follow"));
    let otherwise = fails(|| when(Command::Withdraw(1)).then_refused("no"));
    assert!(otherwise.contains("why it is refused"), "{otherwise}");
}

/// An event that loses something when it is written.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Forgetful {
    #[serde(skip)]
    cents: u64,
}

#[derive(Default)]
struct Forgetting;

impl Decider for Forgetting {
    type Command = u64;
    type Event = Forgetful;
    type Error = &'static str;

    fn decide(&self, cents: &u64) -> Result<Vec<Forgetful>, &'static str> {
        Ok(vec![Forgetful { cents: *cents }])
    }

    fn evolve(&mut self, _: &Forgetful) {}
}

#[test]
fn an_event_that_is_not_read_as_it_was_written_fails() {
    let text = fails(|| {
        given::<Forgetting>([])
            .when(5)
            .then([Forgetful { cents: 5 }])
    });
    assert!(text.contains("what is read after it was written"), "{text}");
}
