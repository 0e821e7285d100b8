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

/// What the worker of the consumer has done.
#[derive(Debug, Default)]
struct Done {
    batches: AtomicU64,
    changesets: AtomicU64,
}

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
    let done = Done::default();
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
        () = follow(followed, &done) => {}
    }
    let [batches, changesets] =
        [&done.batches, &done.changesets].map(|count| count.load(Ordering::Relaxed));
    println!(
        "  the consumer acknowledged {:.0} batches and {:.0} changesets a second",
        per_second(batches, time),
        per_second(changesets, time)
    );
}

/// Follows for ever.
async fn follow(store: &EventStore, done: &Done) {
    let mut worker = Consumer::new(store, "billing").unwrap().limit(100);
    loop {
        let handled = worker.handle(Duration::from_secs(20), async |_| {
            done.changesets.fetch_add(1, Ordering::Relaxed);
            Ok::<(), String>(())
        });
        if handled.await.unwrap() {
            done.batches.fetch_add(1, Ordering::Relaxed);
        }
    }
}
