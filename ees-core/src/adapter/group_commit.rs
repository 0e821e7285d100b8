//! Group commit: many appends in one transaction, for storages that order at commit time.
//!
//! A single writer takes all waiting commits as a batch. It judges each commit against its stream's
//! head and the batch's earlier commits ([`judge`], pure). It writes all of them in one transaction
//! over a small port ([`BatchStore`]), and answers each commit after that transaction. So all
//! commits of a batch share one flush to the disk. Checkpoints stay dense because one writer at a
//! time assigns them.
//!
//! The technique is described in D. J. `DeWitt` et al., "Implementation Techniques for Main Memory
//! Database Systems", SIGMOD 1984, section 5.2.

mod judge;
mod retry;
mod writer;

pub use judge::{Judge, Plan, Snapshot, judge};
pub use writer::{BatchLimit, BatchStore, GroupCommit};
