#![doc = include_str!("../README.md")]

mod bills;
mod kept;
mod order;
mod personal;
mod totals;

pub use bills::Bills;
pub use kept::KeptOrders;
pub use order::{Command, Order, OrderEvent, Refused, UPCASTS};
pub use personal::{Keys, Sealed};
pub use totals::{Totals, TotalsError};
