//! Simulates how many positions a second the global index of a table in `DynamoDB` takes, against the
//! number of its partitions and the positions in a page. `docs/dynamodb.md` has the figures, and the
//! reasons for the size of pages in new tables.
//!
//! The model: each page is in one partition, by a hash. A partition takes 1000 write units a second,
//! and saves what it did not take up to a limit. Indexers reserve a block of positions, write them at
//! the same time, and reserve the next block when all are written. A write that finds no unit waits
//! for one.
//!
//! ```console
//! cargo run --release -p benches --bin index-pages
//! ```

use clap::Parser;

/// The write units that a partition takes in a second.
const UNITS: f64 = 1000.0;

/// The sizes of pages that are compared.
const SIZES: [u64; 7] = [1000, 500, 200, 100, 50, 20, 10];

/// The numbers of partitions that are compared.
const PARTITIONS: [usize; 5] = [1, 2, 4, 8, 16];

/// Simulates positions a second against partitions and page size.
#[derive(Debug, Parser)]
struct Args {
    /// The write units of an entry: 1 where the index holds keys, S where it holds changesets of S KB
    #[arg(long, default_value_t = 1.0)]
    units: f64,
    /// The number of positions in a block
    #[arg(long, default_value_t = 100)]
    block: u64,
    /// What indexers need for a block besides waiting for units, in milliseconds
    #[arg(long, default_value_t = 0.0)]
    block_millis: f64,
    /// The number of positions that are written
    #[arg(long, default_value_t = 500_000)]
    positions: u64,
}

/// A partition: the units it has saved, and when.
#[derive(Debug, Clone, Copy)]
struct Partition {
    units: f64,
    at: f64,
}

impl Partition {
    /// Takes units at a time. Returns when it has taken all. A partition saves at most `saved` units.
    fn take(&mut self, units: f64, now: f64, saved: f64) -> f64 {
        self.units = (self.units + (now - self.at) * UNITS).min(saved);
        self.at = now;
        self.units -= units;
        now + (-self.units).max(0.0) / UNITS
    }
}

/// The partition of a page: a hash that spreads neighbours (splitmix64).
#[allow(clippy::cast_possible_truncation)] // a remainder of a small number
fn partition_of(page: u64, partitions: usize) -> usize {
    let mut hash = page.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((hash ^ (hash >> 31)) % partitions as u64) as usize
}

/// Positions a second, with pages of `size` and partitions that save `saved` units.
#[allow(clippy::cast_precision_loss)] // counts far below 2^52
fn rate(args: &Args, size: u64, partitions: usize, saved: f64) -> f64 {
    let begin = Partition {
        units: 0.0,
        at: 0.0,
    };
    let mut all = vec![begin; partitions];
    let (mut now, mut next) = (0.0, 0);
    while next < args.positions {
        let end = (next + args.block).min(args.positions);
        let mut done = now;
        while next < end {
            let page = next / size;
            let page_end = ((page + 1) * size).min(end);
            let units = (page_end - next) as f64 * args.units;
            let partition = &mut all[partition_of(page, partitions)];
            done = f64::max(done, partition.take(units, now, saved));
            next = page_end;
        }
        now = done + args.block_millis / 1000.0;
    }
    args.positions as f64 / now
}

fn main() {
    let args = Args::parse();
    for (saved, text) in [
        (10.0, "a partition saves nothing"),
        (UNITS, "a partition saves what it did not take in a second"),
    ] {
        println!("positions a second, {text}:");
        let columns = PARTITIONS.map(|partitions| format!("{partitions:>8}"));
        println!("| in a page | partitions: {} |", columns.join(" | "));
        for size in SIZES {
            let rates = PARTITIONS.map(|partitions| {
                let rate = rate(&args, size, partitions, saved);
                format!("{rate:>8.0}")
            });
            println!("| {size:>9} |             {} |", rates.join(" | "));
        }
    }
}
