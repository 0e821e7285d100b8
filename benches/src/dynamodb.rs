//! `DynamoDB` on an emulator with the latency of a region.

use std::time::{Duration, Instant};

mod distance;
mod sequential;
mod store;

pub use distance::Distance;
pub use store::{Store, commit_to};

use crate::report::per_second;
use sequential::Sequential;

/// A rate, and the requests per changeset.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    /// Changesets per second.
    pub rate: f64,
    /// Requests per changeset.
    pub requests: f64,
}

impl Figures {
    /// The rate of changesets that were indexed since then, with the requests that they took.
    #[allow(clippy::cast_precision_loss)] // counts far below 2^52
    pub fn since(begun: Instant, requests: usize, store: &Store, changesets: usize) -> Self {
        Self {
            rate: per_second(changesets as u64, begun.elapsed()),
            requests: (store.requests() - requests) as f64 / changesets as f64,
        }
    }
}

/// Indexes `changesets` changesets with the plain indexer and the added latency.
pub async fn one_by_one(delay: Duration, changesets: usize) -> Figures {
    let store = Store::fill(changesets, delay).await;
    let mut indexer = Sequential::new(&store.distant, &store.config);
    let (requests, begun) = (store.requests(), Instant::now());
    for key in &store.keys {
        indexer.index(key).await;
    }
    Figures::since(begun, requests, &store, changesets)
}
