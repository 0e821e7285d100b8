//! An order: its events, its state, and the decisions.

use serde::{Deserialize, Serialize};

/// What happens to an order. Written in its newest form, and read in every form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", from = "Stored")]
pub enum OrderEvent {
    /// A customer has ordered.
    #[serde(rename = "placed_v2")]
    Placed {
        /// The price in cents.
        cents: u64,
        /// Where the order came from, if it is known.
        channel: Option<String>,
    },
    /// A customer has paid.
    Paid {
        /// The sum in cents.
        cents: u64,
    },
}

/// The events as they are stored: every form that was ever written.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Stored {
    /// Until version 2 of the service: the price in whole euros.
    Placed {
        euros: u64,
    },
    PlacedV2 {
        cents: u64,
        // Added later: events without it were written before.
        #[serde(default)]
        channel: Option<String>,
    },
    Paid {
        cents: u64,
    },
}

impl From<Stored> for OrderEvent {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::Placed { euros } => Self::Placed {
                cents: euros * 100,
                channel: None,
            },
            Stored::PlacedV2 { cents, channel } => Self::Placed { cents, channel },
            Stored::Paid { cents } => Self::Paid { cents },
        }
    }
}

/// The state that decisions need.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Whether it was placed.
    pub is_placed: bool,
    /// What remains to be paid.
    pub open_cents: u64,
}

impl Order {
    /// The order after an event. An event is a fact, so this refuses nothing.
    #[must_use]
    pub fn apply(self, event: &OrderEvent) -> Self {
        match event {
            OrderEvent::Placed { cents, .. } => Self {
                is_placed: true,
                open_cents: *cents,
            },
            OrderEvent::Paid { cents } => Self {
                open_cents: self.open_cents.saturating_sub(*cents),
                ..self
            },
        }
    }
}

/// The rules of the business forbid a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub &'static str);

/// Places an order.
///
/// # Errors
/// [`Refused`] if it was placed before.
pub fn place(order: Order, cents: u64) -> Result<Vec<OrderEvent>, Refused> {
    if order.is_placed {
        return Err(Refused("the order was placed before"));
    }
    let channel = None;
    Ok(vec![OrderEvent::Placed { cents, channel }])
}

/// Pays a part of an order.
///
/// # Errors
/// [`Refused`] if it is more than what remains.
pub fn pay(order: Order, cents: u64) -> Result<Vec<OrderEvent>, Refused> {
    if cents > order.open_cents {
        return Err(Refused("more than what remains to be paid"));
    }
    Ok(vec![OrderEvent::Paid { cents }])
}
