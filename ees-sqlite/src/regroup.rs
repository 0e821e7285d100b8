//! Waits a moment for the callers of the last batch, so that they share the next flush too.
//!
//! Callers that commit in a loop otherwise fall into two groups that take turns, and each group
//! pays for a transaction of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The longest wait. It is also at most a quarter of the time of the last transaction.
const MAX_WAIT: Duration = Duration::from_micros(300);

/// How many batches are not waited for after a wait in vain.
const SKIPPED: u32 = 15;

/// Counts the commits that callers hand in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arrivals(Arc<AtomicUsize>);

impl Arrivals {
    pub(crate) fn count(&self, commits: usize) {
        self.0.fetch_add(commits, Ordering::Relaxed);
    }

    fn so_far(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// The wait before a batch. A caller that is alone never waits.
#[derive(Debug)]
pub(crate) struct Regroup {
    arrivals: Arrivals,
    begun: Instant,
    last: Option<Last>,
    skip: u32,
}

/// The last transaction.
#[derive(Debug)]
struct Last {
    commits: usize,
    arrivals: usize,
    took: Duration,
}

impl Regroup {
    pub(crate) fn new(arrivals: Arrivals) -> Self {
        Self {
            arrivals,
            begun: Instant::now(),
            last: None,
            skip: 0,
        }
    }

    /// A transaction begins.
    pub(crate) fn begin(&mut self) {
        self.begun = Instant::now();
    }

    /// A transaction of so many commits has succeeded. Its callers are about to be answered.
    pub(crate) fn committed(&mut self, commits: usize) {
        self.last = (commits > 1).then(|| Last {
            commits,
            arrivals: self.arrivals.so_far(),
            took: self.begun.elapsed(),
        });
    }

    /// Waits until as many commits have arrived as were answered last, or the time is over.
    pub(crate) fn wait(&mut self) {
        let Some(last) = self.last.take() else {
            return;
        };
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        let limit = MAX_WAIT.min(last.took / 4);
        let arrived = || self.arrivals.so_far().wrapping_sub(last.arrivals);
        let start = Instant::now();
        while arrived() < last.commits && start.elapsed() < limit {
            thread::yield_now();
        }
        if arrived() < last.commits.div_ceil(2) {
            self.skip = SKIPPED;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regroup(commits: usize, arrivals: usize) -> Regroup {
        let counter = Arrivals::default();
        let mut regroup = Regroup::new(counter.clone());
        regroup.begin();
        regroup.committed(commits);
        counter.count(arrivals);
        regroup.wait();
        regroup
    }

    #[test]
    fn a_caller_who_is_alone_is_not_waited_for() {
        let counter = Arrivals::default();
        let mut regroup = Regroup::new(counter);
        regroup.committed(1);
        assert!(regroup.last.is_none());
        regroup.wait();
        assert_eq!(regroup.skip, 0);
    }

    #[test]
    fn a_wait_in_vain_is_not_repeated_at_once() {
        let mut regroup = regroup(4, 1);
        assert_eq!(regroup.skip, SKIPPED);
        for left in (0..SKIPPED).rev() {
            regroup.committed(4);
            regroup.wait();
            assert_eq!(regroup.skip, left);
        }
        regroup.committed(4);
        regroup.wait();
        assert_eq!(regroup.skip, SKIPPED, "it was waited for again");
    }

    #[test]
    fn a_wait_that_brought_callers_is_repeated() {
        assert_eq!(regroup(4, 2).skip, 0);
        assert_eq!(regroup(4, 9).skip, 0);
    }
}
