//! Rounds, rates and ratios.

use std::fs::File;
use std::io::Write;
use std::time::{Duration, Instant};

/// The number of rounds, and the duration of each side in a round.
#[derive(Debug, Clone, Copy)]
pub struct Rounds {
    /// The number of rounds.
    pub count: usize,
    /// The duration of each side in a round.
    pub length: Duration,
}

/// What the rounds of two sides came to.
#[derive(Debug)]
pub struct Comparison {
    /// The ratio of the rates of a round.
    pub ratio: Spread,
    /// The rates of the side that is measured.
    pub measured: Spread,
    /// The rates of the other side.
    pub baseline: Spread,
}

/// Runs two sides in turn, `count` times, and prints the ratio of their rates.
pub async fn compare(
    name: &str,
    rounds: Rounds,
    mut measured: impl AsyncFnMut(Duration) -> f64,
    mut baseline: impl AsyncFnMut(Duration) -> f64,
) -> Comparison {
    let mut pairs = Vec::new();
    // The first round warms both sides up.
    for round in 0..=rounds.count {
        let pair = (measured(rounds.length).await, baseline(rounds.length).await);
        if round > 0 {
            pairs.push(pair);
        }
    }
    let result = Comparison {
        ratio: spread(pairs.iter().map(|(a, b)| a / b)),
        measured: spread(pairs.iter().map(|(a, _)| *a)),
        baseline: spread(pairs.iter().map(|(_, b)| *b)),
    };
    println!(
        "{name}: {:.2}x (rounds {:.2} to {:.2}); medians {:.0}/s against {:.0}/s",
        result.ratio.median,
        result.ratio.least,
        result.ratio.most,
        result.measured.median,
        result.baseline.median
    );
    result
}

/// Prints what a request costs in stores of different sizes, against the first. The rates of a size
/// are those of its rounds.
pub fn print_growth(name: &str, sizes: &[u64], rates: &[&Vec<f64>]) {
    let mut stores = sizes.iter().zip(rates);
    let Some((smallest, first)) = stores.next() else {
        return;
    };
    for (size, rates) in stores {
        // The cost of a request is the inverse of the rate.
        let costs = spread(first.iter().zip(*rates).map(|(small, large)| small / large));
        println!(
            "cost of {name}, at {size} changesets against {smallest}: {:.2}x (rounds {:.2} to {:.2})",
            costs.median, costs.least, costs.most
        );
    }
}

/// The minimum, median and maximum of some figures.
#[derive(Debug)]
pub struct Spread {
    /// The minimum.
    pub least: f64,
    /// The median.
    pub median: f64,
    /// The maximum.
    pub most: f64,
}

/// The spread of one figure or more.
pub fn spread(figures: impl Iterator<Item = f64>) -> Spread {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    Spread {
        least: figures[0],
        median: figures[figures.len() / 2],
        most: figures[figures.len() - 1],
    }
}

/// A percentile of the figures.
pub fn percentile(figures: impl Iterator<Item = f64>, percent: usize) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    let rank = (figures.len() * percent).div_ceil(100);
    figures[rank.max(1) - 1]
}

/// Calls a function repeatedly until the time is up. Returns its units of work per second.
pub async fn rate(length: Duration, mut work: impl AsyncFnMut() -> u64) -> f64 {
    let begun = Instant::now();
    let mut units = 0;
    while begun.elapsed() < length {
        units += work().await;
    }
    per_second(units, begun.elapsed())
}

/// Units per second.
#[allow(clippy::cast_precision_loss)] // counts far below 2^52
pub fn per_second(units: u64, time: Duration) -> f64 {
    units as f64 / time.as_secs_f64()
}

/// The processor time of all threads of this process that live, on Linux.
pub fn cpu_time() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let nanos = threads.filter_map(|thread| {
        let file = thread.ok()?.path().join("schedstat");
        let text = std::fs::read_to_string(file).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.sum())
}

/// The median time of an fdatasync of 4 KiB on this disk.
pub fn flush_time() -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut file = File::create(folder.path().join("flush")).unwrap();
    let flushes = (0..200).map(|_| {
        let begun = Instant::now();
        file.write_all(&[1; 4096]).unwrap();
        file.sync_data().unwrap();
        begun.elapsed().as_secs_f64() * 1e6
    });
    format!("{:.0} microseconds", spread(flushes).median)
}
