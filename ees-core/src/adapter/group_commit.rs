//! Group commit: many appends in one transaction, for storages that order at commit time.
//!
//! A single writer takes every commit that is waiting, judges each against its stream's head and
//! the batch's earlier commits ([`judge`], pure), writes all in one transaction over a small port
//! ([`BatchStore`]), and only then answers each. So one flush to the disk is shared by all who
//! wait for it, and checkpoints stay dense, as one writer at a time gives them.
//!
//! The technique is as old as databases: D. J. `DeWitt` et al., "Implementation Techniques for Main Memory
//! Database Systems", SIGMOD 1984, section 5.2.

mod judge;
mod retry;
mod writer;

pub use judge::{Plan, Snapshot, judge};
pub use writer::{BatchLimit, BatchStore, GroupCommit};
