#![doc = include_str!("../README.md")]

mod bills;
mod handle;
mod order;
mod personal;
mod snapshot;
mod totals;

pub use bills::{BillError, Bills};
pub use handle::{Failure, handle};
pub use order::{Order, OrderEvent, Refused, pay, place};
pub use personal::{Keys, Sealed};
pub use snapshot::Snapshot;
pub use totals::{Totals, TotalsError};
