//! Callers in the same process, without HTTP.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ees_core::{Checkpoint, EventStore, Events, Expectation, Json, NewChangeset, PageLimit};

use crate::load::{self, STREAMS, Streams};
use crate::report::per_second;

/// Appends from concurrent clients, each to streams of its own. Returns commits per second.
pub async fn append(
    store: &EventStore,
    streams: &Arc<Streams>,
    count: u64,
    length: Duration,
) -> f64 {
    run(store, streams, count, length, false).await
}

/// Like [`append`], and each commit has an idempotency key.
pub async fn append_with_keys(
    store: &EventStore,
    streams: &Arc<Streams>,
    count: u64,
    length: Duration,
) -> f64 {
    run(store, streams, count, length, true).await
}

async fn run(
    store: &EventStore,
    streams: &Arc<Streams>,
    count: u64,
    length: Duration,
    keyed: bool,
) -> f64 {
    let begun = Instant::now();
    let clients = (0..count).map(|first| {
        let (store, streams) = (store.clone(), Arc::clone(streams));
        tokio::spawn(async move {
            let mut commits = 0;
            let mut stream = first;
            while begun.elapsed() < length {
                commit(&store, stream, streams.advance(stream), keyed).await;
                commits += 1;
                stream += count;
                if stream >= STREAMS {
                    stream = first;
                }
            }
            commits
        })
    });
    let clients: Vec<_> = clients.collect();
    let mut commits = 0;
    for client in clients {
        commits += client.await.unwrap();
    }
    per_second(commits, begun.elapsed())
}

async fn commit(store: &EventStore, stream: u64, last: u64, keyed: bool) {
    let name = format!("order-{stream}").parse().unwrap();
    let events = Events::parse(&load::events(last)).unwrap();
    let metadata = Json::parse(&load::metadata(last)).unwrap();
    let asked = NewChangeset::new(name, Expectation::LastChangeset(last), events);
    let mut asked = asked.with_metadata(metadata);
    if keyed {
        // As long as a UUID, and in no order, as the keys of clients are.
        let scattered = last.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        asked = asked.with_idempotency_key(format!("{scattered:036x}").parse().unwrap());
    }
    store.commit(asked).await.unwrap();
}

/// Reads one page of the global order, which has `total` changesets. After the last page it begins
/// anew. Returns the number of changesets in the page.
pub async fn read_on(store: &EventStore, next: &mut Checkpoint, items: usize, total: u64) -> u64 {
    let page = store
        .global_changesets(*next, PageLimit::items(items))
        .await;
    let page = page.unwrap();
    *next = page.next;
    if next.get() == total {
        *next = Checkpoint::FIRST;
    }
    page.changesets.len() as u64
}
