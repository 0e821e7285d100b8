//! Commits while a consumer follows them, against commits that nobody follows.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ees_core::EventStore;
use ees_core::consumer::{Consumer, ConsumerDefinition};

use super::append;
use super::costs::compare_costs;
use crate::load::Streams;
use crate::report::{Rounds, per_second};

/// The number of clients.
const CLIENTS: u64 = 16;

/// Compares two stores of the same kind. A worker in this process follows the commits to the first: it
/// acknowledges batches of up to 100 and does nothing else with them.
pub async fn compare_followed(
    storage: &str,
    rounds: Rounds,
    threads: &str,
    followed: &EventStore,
    plain: &EventStore,
) {
    let consumers = followed.consumers().unwrap();
    let definition = ConsumerDefinition::default();
    let billing = "billing".parse().unwrap();
    consumers.define(&billing, &definition).await.unwrap();
    let handled = AtomicU64::new(0);
    let [ours, theirs] = [(); 2].map(|()| Arc::new(Streams::of_length(0)));
    let mut time = Duration::ZERO;
    let name = format!(
        "append on {storage} beside a consumer, clients: {CLIENTS}, against without a consumer"
    );
    let comparing = compare_costs(
        &name,
        rounds,
        threads,
        async |length| {
            let begun = Instant::now();
            let rate = append(followed, &ours, CLIENTS, length).await;
            time += begun.elapsed();
            rate
        },
        async |length| append(plain, &theirs, CLIENTS, length).await,
    );
    tokio::select! {
        () = comparing => {}
        () = follow(followed, &handled) => {}
    }
    let handled = handled.load(Ordering::Relaxed);
    println!(
        "  the consumer handled {:.0} changesets a second",
        per_second(handled, time)
    );
}

/// Follows for ever.
async fn follow(store: &EventStore, handled: &AtomicU64) {
    let mut worker = Consumer::new(store, "billing").unwrap().limit(100);
    let ended = worker.run(async |_| {
        handled.fetch_add(1, Ordering::Relaxed);
        Ok::<(), String>(())
    });
    panic!("{}", ended.await.unwrap_err());
}
