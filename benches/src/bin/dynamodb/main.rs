//! The benchmarks of the DynamoDB adapter, on an emulator with 5 ms added to each request. They
//! compare one indexer at different block sizes with a plain one that indexes one changeset at a
//! time, and count the requests of a commit. `docs/dynamodb.md` explains the figures.
//!
//! ```console
//! cargo run --release -p benches --bin dynamodb -- --help
//! ```
// A benchmark panics if it cannot continue.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use benches::dynamodb::{Figures, Store, one_by_one};
use benches::report::{Spread, spread};
use clap::Parser;
use ees_core::adapter::ChangesetKey;
use ees_core::indexer::{BlockLimit, Indexer};

/// The block sizes that are compared.
const BLOCKS: [usize; 3] = [1, 10, 100];

/// Compares indexers on an emulator that answers every request 5 ms late.
#[derive(Debug, Parser)]
struct Args {
    /// The number of rounds; in each, the sides run in turn
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// The number of changesets that the side with the largest block indexes in a round
    #[arg(long, default_value_t = 400)]
    changesets: usize,
    /// The latency added to each request, in milliseconds
    #[arg(long, default_value_t = 5)]
    delay: u64,
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    let delay = Duration::from_millis(args.delay);
    let mut plain = Vec::new();
    let mut blocks = BLOCKS.map(|_| Vec::new());
    // The first round warms all sides up.
    for round in 0..=args.rounds.max(1) {
        let figures = one_by_one(delay, args.changesets / 20).await;
        let mut measured = vec![];
        for members in BLOCKS {
            let changesets = (args.changesets * members / 100).max(args.changesets / 20);
            measured.push(in_blocks(delay, changesets, members).await);
        }
        if round > 0 {
            plain.push(figures);
            blocks
                .iter_mut()
                .zip(measured)
                .for_each(|(all, one)| all.push(one));
        }
    }
    print("changeset by changeset", &plain, &plain);
    for (members, figures) in BLOCKS.iter().zip(&blocks) {
        print(&format!("blocks of {members}"), figures, &plain);
    }
    let store = Store::fill(0, delay).await;
    let requests = store.requests_of_commits(args.changesets / 4).await;
    println!("commit to a stream whose head is known: {requests:.2} requests");
}

fn print(name: &str, figures: &[Figures], plain: &[Figures]) {
    let rates = spread(figures.iter().map(|figures| figures.rate));
    let requests = spread(figures.iter().map(|figures| figures.requests));
    let pairs = figures.iter().zip(plain);
    let Spread {
        least,
        median,
        most,
    } = spread(pairs.map(|(a, b)| a.rate / b.rate));
    println!(
        "index, {name}: {:.0} changesets/s, {median:.1}x (rounds {least:.1} to {most:.1}); {:.2} \
         requests for each",
        rates.median, requests.median
    );
}

/// Indexes with the store's own indexer, which gets one block of changesets at a time.
async fn in_blocks(delay: Duration, changesets: usize, members: usize) -> Figures {
    let store = Store::fill(changesets, delay).await;
    let limit = BlockLimit {
        members,
        ..BlockLimit::default()
    };
    let mut indexer = Indexer::new(Arc::new(store.open_distant().await)).with_limit(limit);
    let (requests, begun) = (store.requests(), Instant::now());
    for keys in store.keys.chunks(members) {
        let keys: Vec<ChangesetKey> = keys.to_vec();
        let report = indexer.index(keys).await.unwrap();
        assert!(report.refused.is_empty(), "{report:?}");
    }
    Figures::since(begun, requests, &store, changesets)
}
