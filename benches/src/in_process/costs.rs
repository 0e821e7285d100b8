//! The processor time of a unit of work, which the disk and the other programs of a machine hardly change.

use std::fs;
use std::time::{Duration, Instant};

use crate::report::{Rounds, Spread, compare, cpu_time, spread};

/// SQLite's thread that writes, as the system cuts its name.
pub const SQLITE_WRITER: &str = "ees-sqlite-writ";

/// Like [`compare`], and prints the processor time of a unit on each side: of this process, and of its
/// threads with a name.
pub async fn compare_costs(
    name: &str,
    rounds: Rounds,
    threads: &str,
    mut measured: impl AsyncFnMut(Duration) -> f64,
    mut baseline: impl AsyncFnMut(Duration) -> f64,
) {
    let (mut ours, mut theirs) = (Costs::of(threads), Costs::of(threads));
    compare(
        name,
        rounds,
        async |length| ours.add(measured(length)).await,
        async |length| theirs.add(baseline(length)).await,
    )
    .await;
    for (what, ours, theirs) in [
        ("process", &ours.process, &theirs.process),
        (threads, &ours.threads, &theirs.threads),
    ] {
        // The first round warms both sides up.
        let ratios = ours.iter().zip(theirs).skip(1).map(|(a, b)| a / b);
        let ratio = spread(ratios);
        let [ours, theirs]: [Spread; 2] =
            [ours, theirs].map(|costs| spread(costs.iter().skip(1).copied()));
        if theirs.median > 0.0 {
            println!(
                "  processor time of each, {what}: {:.3}x (rounds {:.3} to {:.3}); medians {:.1} against \
                 {:.1} microseconds",
                ratio.median, ratio.least, ratio.most, ours.median, theirs.median
            );
        }
    }
}

/// The processor time of a unit, in microseconds, for each round.
struct Costs<'a> {
    name: &'a str,
    process: Vec<f64>,
    threads: Vec<f64>,
}

impl<'a> Costs<'a> {
    fn of(name: &'a str) -> Self {
        let (process, threads) = (Vec::new(), Vec::new());
        Self {
            name,
            process,
            threads,
        }
    }

    /// Does work, which returns its units per second.
    async fn add(&mut self, work: impl Future<Output = f64>) -> f64 {
        let begun = Instant::now();
        let before = (cpu_time(), time_of(self.name));
        let rate = work.await;
        let units = rate * begun.elapsed().as_secs_f64();
        let cost =
            |after: Duration, before| after.saturating_sub(before).as_secs_f64() * 1e6 / units;
        self.process.push(cost(cpu_time(), before.0));
        self.threads.push(cost(time_of(self.name), before.1));
        rate
    }
}

/// The processor time of the threads of this process with a name, on Linux.
fn time_of(name: &str) -> Duration {
    let threads = fs::read_dir("/proc/self/task").unwrap();
    let nanos = threads.filter_map(|thread| {
        let folder = thread.ok()?.path();
        let is_it = fs::read_to_string(folder.join("comm")).ok()?.trim_end() == name;
        let text = fs::read_to_string(folder.join("schedstat")).ok()?;
        text.split(' ')
            .next()?
            .parse::<u64>()
            .ok()
            .filter(|_| is_it)
    });
    Duration::from_nanos(nanos.sum())
}
