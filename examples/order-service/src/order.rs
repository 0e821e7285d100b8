//! An order: its events, its state, and the decisions.

use ees_model::{Decider, Upcast, Upcasts};
use serde::{Deserialize, Serialize};

/// What happens to an order, in the newest form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum OrderEvent {
    /// A customer has ordered.
    #[serde(rename = "placed_v2")]
    Placed {
        /// The price in cents.
        cents: u64,
        /// Where the order came from, if it is known.
        // Added later: events without it were written before.
        #[serde(default)]
        channel: Option<String>,
    },
    /// A customer has paid.
    Paid {
        /// The sum in cents.
        cents: u64,
    },
}

/// Every older form that was ever written, and what it is today.
pub const UPCASTS: Upcasts = Upcasts::new(&[
    // Until version 2 of the service: the price in whole euros.
    Upcast::new("placed", "placed_v2", |event| {
        let euros = event.remove("euros").and_then(|euros| euros.as_u64());
        let cents = euros.and_then(|euros| euros.checked_mul(100));
        event.insert("cents".to_owned(), cents.into());
    }),
]);

/// The state that decisions need.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Whether it was placed.
    pub is_placed: bool,
    /// What remains to be paid.
    pub open_cents: u64,
}

/// What a caller wants of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Places it.
    Place {
        /// The price in cents.
        cents: u64,
    },
    /// Pays a part of it.
    Pay {
        /// The sum in cents.
        cents: u64,
    },
}

/// The rules of the business forbid a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub &'static str);

impl Decider for Order {
    type Command = Command;
    type Event = OrderEvent;
    type Error = Refused;

    const UPCASTS: Upcasts = UPCASTS;
    const VERSION: u32 = 2;

    fn decide(&self, command: &Command) -> Result<Vec<OrderEvent>, Refused> {
        match *command {
            Command::Place { .. } if self.is_placed => Err(Refused("the order was placed before")),
            Command::Place { cents } => {
                let channel = None;
                Ok(vec![OrderEvent::Placed { cents, channel }])
            }
            Command::Pay { cents } if cents > self.open_cents => {
                Err(Refused("more than what remains to be paid"))
            }
            Command::Pay { cents } => Ok(vec![OrderEvent::Paid { cents }]),
        }
    }

    fn evolve(&mut self, event: &OrderEvent) {
        match event {
            OrderEvent::Placed { cents, .. } => {
                self.is_placed = true;
                self.open_cents = *cents;
            }
            OrderEvent::Paid { cents } => {
                self.open_cents = self.open_cents.saturating_sub(*cents);
            }
        }
    }
}
