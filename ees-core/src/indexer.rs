//! A global order without a gap, for storages that order after the commit.
//!
//! Such a storage commits a changeset to its stream first. An indexer assigns the next position of
//! the global order later. Any number of indexers may run, stop and crash, on any machine and at
//! any time. No position is assigned twice, none is left out, and no changeset gets two (G6). Each
//! stream's order is kept (G7). The next indexer to run finishes the work that another began (G8).
//!
//! The algorithm is a state machine without I/O: answers in, requests out (`indexer/step.rs`). The
//! async [`Indexer`] runs it over the [`Index`](crate::adapter::Index) port, and the model checker
//! explores the same state machine. [`read_global`] reads the order in spite of an index that lags,
//! and is built in the same way (`indexer/read_up_to_hole.rs`). `docs/global-order.md` explains
//! both.

mod block;
mod corruption;
mod driver;
mod lane;
mod read_up_to_hole;
mod reader;
mod request;
mod step;
mod writes;

pub use block::{BlockLimit, Refused, Unfit};
pub use corruption::Corruption;
pub use driver::{Indexer, IndexingError, Report, Swept};
pub use reader::read_global;

// The state machines, public for the tests that explore them.
#[doc(hidden)]
pub use read_up_to_hole::{ReadAnswer, ReadRequest, Reading, Turn};
#[doc(hidden)]
pub use request::{Answer, Request};
#[doc(hidden)]
pub use step::Indexing;
