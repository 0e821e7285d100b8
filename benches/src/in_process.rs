//! Callers in the same process, without HTTP.

pub mod costs;
pub mod followed;

use std::sync::Arc;
use std::time::{Duration, Instant};

use ees_core::{Checkpoint, EventStore, Events, Expectation, Json, NewChangeset, PageLimit};

use crate::load::{self, Load, STREAMS, Streams};
use crate::report::per_second;

/// Appends from concurrent clients, each to streams of its own. Returns commits per second.
pub async fn append(
    store: &EventStore,
    streams: &Arc<Streams>,
    count: u64,
    length: Duration,
) -> f64 {
    append_as(Load::Plain, store, streams, count, length).await
}

/// Like [`append`], and each commit has an idempotency key.
pub async fn append_with_keys(
    store: &EventStore,
    streams: &Arc<Streams>,
    count: u64,
    length: Duration,
) -> f64 {
    append_as(Load::Keyed, store, streams, count, length).await
}

/// Like [`append`], with commits of this kind.
pub async fn append_as(
    load: Load,
    store: &EventStore,
    streams: &Arc<Streams>,
    count: u64,
    length: Duration,
) -> f64 {
    let begun = Instant::now();
    let clients = (0..count).map(|first| {
        let (store, streams) = (store.clone(), Arc::clone(streams));
        tokio::spawn(async move {
            let mut commits = 0;
            let mut stream = first;
            while begun.elapsed() < length {
                commit(&store, stream, streams.advance(stream), load).await;
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

async fn commit(store: &EventStore, stream: u64, last: u64, load: Load) {
    let name = format!("order-{stream}").parse().unwrap();
    let events = if load == Load::Untyped {
        load::untyped_events(last)
    } else {
        load::events(last)
    };
    let events = Events::parse(&events).unwrap();
    let metadata = Json::parse(&load::metadata(last)).unwrap();
    let asked = NewChangeset::new(name, Expectation::LastChangeset(last), events);
    let mut asked = asked.with_metadata(metadata);
    if load == Load::Keyed {
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

/// Reads one page of what a store's filter selects, of `total` changesets. After the last it begins
/// anew. Returns the number of changesets that were looked at.
pub async fn follow(store: &EventStore, next: &mut Checkpoint, total: u64) -> u64 {
    let page = store.global_changesets(*next, PageLimit::items(1000)).await;
    let page = page.unwrap();
    let looked_at = page.next.get() - next.get();
    std::hint::black_box(page.changesets);
    *next = page.next;
    if next.get() == total {
        *next = Checkpoint::FIRST;
    }
    looked_at
}
