//! What happens to an order.

use serde::{Deserialize, Serialize};

/// What happens to an order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum OrderEvent {
    /// A customer wants something.
    OrderPlaced { amount: u64 },
    /// A customer has paid for it.
    OrderPaid { amount: u64 },
}
