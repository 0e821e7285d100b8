//! Crash tests: SIGKILL of an adapter's process at random moments, also while it starts for the
//! first time.
//!
//! The adapter runs in a child process: the same test binary, started again for one test. The
//! test's own process sends calls through a pipe, kills the child, starts it again on the same
//! data, and records the calls and answers. In the end it opens the store itself, and compares the
//! answers with the stored changesets. An answer counts as an acknowledgement as soon as its whole
//! line is in the pipe. A commit without an answer is recorded as such.
//!
//! Implement [`CrashHarness`] and call [`crash_suite!`](crate::crash_suite).
//!
//! `EES_CRASH_ROUNDS` makes the tests longer. Each run prints its seed. `EES_CRASH_SEED` repeats
//! the times of the kills and the commits of the writers. It does not repeat the scheduling of
//! threads and processes.

mod check;
mod child;
mod conclude;
mod first_start;
mod harness;
mod message;
mod mover;
mod opening;
mod pipe;
mod process;
mod reader;
mod schedule;
mod survival;
mod target;
mod trial;
mod writer;

pub use check::{by_stream, check_log, check_operations, lost, statistics, stored_all_the_same};
pub use first_start::a_first_start_may_be_killed;
pub use harness::CrashHarness;
pub use mover::Mover;
pub use reader::Reader;
pub use schedule::Schedule;
pub use survival::what_was_acknowledged_survives;
pub use target::{Client, LOST, Target};
pub use writer::Writer;

/// Generates the crash tests of an adapter, for a [`CrashHarness`]. The tests are in one module,
/// `crash_suite` if no other name is given: `crash_suite!(Mine, mod name)`.
#[macro_export]
macro_rules! crash_suite {
    ($harness:ty) => {
        $crate::crash_suite!($harness, mod crash_suite);
    };
    ($harness:ty, mod $name:ident) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            #[::core::prelude::v1::test]
            fn what_was_acknowledged_survives() {
                $crate::crash::what_was_acknowledged_survives::<$harness>(::core::concat!(
                    ::core::module_path!(),
                    "::what_was_acknowledged_survives"
                ));
            }

            #[::core::prelude::v1::test]
            fn a_first_start_may_be_killed() {
                $crate::crash::a_first_start_may_be_killed::<$harness>(::core::concat!(
                    ::core::module_path!(),
                    "::a_first_start_may_be_killed"
                ));
            }
        }
    };
}
