//! `DynamoDB` on an emulator that is as far away as a region is.

use std::time::{Duration, Instant};

mod distance;
mod sequential;
mod store;

pub use distance::Distance;
pub use store::{Store, commit_to};

use crate::report::per_second;
use sequential::Sequential;

/// A rate, and requests for each changeset.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    /// Changesets a second.
    pub rate: f64,
    /// Requests for each.
    pub requests: f64,
}

impl Figures {
    /// Of so many changesets that were indexed since then, when there were so many requests.
    #[allow(clippy::cast_precision_loss)] // counts far below 2^52
    pub fn since(begun: Instant, requests: usize, store: &Store, changesets: usize) -> Self {
        Self {
            rate: per_second(changesets as u64, begun.elapsed()),
            requests: (store.requests() - requests) as f64 / changesets as f64,
        }
    }
}

/// Indexes so many changesets as the plain indexer does, with so much added to each request.
pub async fn one_by_one(delay: Duration, changesets: usize) -> Figures {
    let store = Store::fill(changesets, delay).await;
    let mut indexer = Sequential::new(&store.distant, &store.config);
    let (requests, begun) = (store.requests(), Instant::now());
    for key in &store.keys {
        indexer.index(key).await;
    }
    Figures::since(begun, requests, &store, changesets)
}
