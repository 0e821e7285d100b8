//! What `ees-client` adds to a plain HTTP client, and how fast it follows the global order of a server that
//! is a process of its own, on SQLite. `docs/performance.md` has the figures.
//!
//! `cargo build --release`, then `cargo run --release -p benches --bin client`.
// A benchmark panics if it cannot continue.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod plain;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use benches::load::{self, STREAMS, Streams};
use benches::process::Process;
use benches::report::{Rounds, compare, cpu_time, per_second, spread};
use clap::Parser;
use ees_client::{EventStore, Events, Expectation, Follow, Json, NewChangeset, StreamId};
use futures_util::future::join_all;
use futures_util::{Stream, StreamExt};
use tokio::runtime::Builder;

/// The arguments.
#[derive(Debug, Parser)]
struct Args {
    /// The server
    #[arg(long, default_value = "target/release/ees")]
    server: PathBuf,
    /// The number of rounds; in each, the two sides run in turn
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// The duration of each side in a round, in milliseconds
    #[arg(long, default_value_t = 1000)]
    millis: u64,
    /// The number of changesets that are followed
    #[arg(long, default_value_t = 100_000)]
    followed: u64,
    /// Makes so many commits to a store in memory, one at a time, and nothing else: for a profiler
    #[arg(long)]
    commits: Option<u64>,
    /// Makes them with plain reqwest
    #[arg(long, requires = "commits")]
    plain: bool,
}

/// The number of concurrent commits.
const WRITERS: u64 = 16;

fn main() {
    let args = Args::parse();
    let mut runtime = match args.commits {
        Some(_) => Builder::new_current_thread(),
        None => Builder::new_multi_thread(),
    };
    let runtime = runtime.enable_all().build().unwrap();
    match args.commits {
        Some(commits) => runtime.block_on(commit_only(&args, commits)),
        None => runtime.block_on(run(&args)),
    }
}

/// Makes commits with one side, one at a time.
async fn commit_only(args: &Args, commits: u64) {
    let server = Process::start(&args.server, "memory:");
    let streams = Streams::of_length(0);
    let all = (0..STREAMS).cycle().take(usize::try_from(commits).unwrap());
    if args.plain {
        let plain = plain::Plain::new(&server.address);
        for stream in all {
            plain.commit(&streams, stream).await;
        }
    } else {
        let (client, ready) = (client(&server), Ready::all());
        for stream in all {
            commit(&client, &ready, &streams, stream).await;
        }
    }
}

async fn run(args: &Args) {
    let rounds = Rounds {
        count: args.rounds.max(1),
        length: Duration::from_millis(args.millis.max(1)),
    };
    let folder = tempfile::tempdir().unwrap();
    let serve = |name: &str| {
        let file = folder.path().join(name).display().to_string();
        Process::start(&args.server, &format!("sqlite:{file}"))
    };
    for storage in ["memory:", "sqlite:"] {
        let [ours, theirs] = if storage == "memory:" {
            [(); 2].map(|()| Process::start(&args.server, storage))
        } else {
            ["ours", "theirs"].map(serve)
        };
        let client = client(&ours);
        let ready = Ready::all();
        let plain = plain::Plain::new(&theirs.address);
        let [of_client, of_plain] = [(); 2].map(|()| Streams::of_length(0));
        let name = |what| {
            format!("{what} of ees-client on {storage}, {WRITERS} at once, against plain reqwest")
        };
        compare(
            &name("commits a second"),
            rounds,
            async |length| append(&client, &ready, &of_client, length).await,
            async |length| plain.append(&of_plain, WRITERS, length).await,
        )
        .await;
        compare(
            &name("commits a second of the client's processor time"),
            rounds,
            async |length| taken(length, append(&client, &ready, &of_client, length)).await,
            async |length| taken(length, plain.append(&of_plain, WRITERS, length)).await,
        )
        .await;
    }
    follow(&serve("followed"), args).await;
}

/// The rate over the processor time of this process, of work with a rate over `length`.
async fn taken(length: Duration, work: impl Future<Output = f64>) -> f64 {
    let before = cpu_time();
    let rate = work.await;
    let taken = cpu_time().saturating_sub(before);
    rate * length.as_secs_f64() / taken.as_secs_f64()
}

fn client(server: &Process) -> EventStore {
    EventStore::new(&format!("http://{}", server.address)).unwrap()
}

/// What the commits to a stream contain. Both sides have their payloads ready: the time to make them is
/// the caller's.
struct Ready {
    stream: StreamId,
    events: Events,
    metadata: Json,
}

impl Ready {
    fn all() -> Vec<Self> {
        let ready = |stream| Self {
            stream: format!("order-{stream}").parse().unwrap(),
            events: Events::parse(&load::events(stream)).unwrap(),
            metadata: Json::parse(&load::metadata(stream)).unwrap(),
        };
        (0..STREAMS).map(ready).collect()
    }
}

/// Commits of concurrent writers, each to streams of its own. Returns commits per second.
async fn append(store: &EventStore, ready: &[Ready], streams: &Streams, length: Duration) -> f64 {
    let begun = Instant::now();
    let work = (0..WRITERS).map(async |writer| {
        let mut commits = 0;
        let mut own = (writer..STREAMS).step_by(16).cycle();
        while begun.elapsed() < length {
            commit(store, ready, streams, own.next().unwrap()).await;
            commits += 1;
        }
        commits
    });
    let commits: u64 = join_all(work).await.into_iter().sum();
    per_second(commits, begun.elapsed())
}

async fn commit(store: &EventStore, ready: &[Ready], streams: &Streams, stream: u64) {
    let last = streams.advance(stream);
    let ready = &ready[usize::try_from(stream).unwrap()];
    let expected = Expectation::LastChangeset(last);
    let commit = NewChangeset::new(ready.stream.clone(), expected, ready.events.clone());
    let commit = commit.with_metadata(ready.metadata.clone());
    store.commit(&commit).await.unwrap();
}

/// Prints how many events a second arrive, one by one.
async fn follow(server: &Process, args: &Args) {
    let store = client(server);
    let (streams, ready) = (Streams::of_length(0), Ready::all());
    let each = args.followed / WRITERS;
    let fill = (0..WRITERS).map(async |writer| {
        let own = (writer..STREAMS).step_by(16).cycle();
        for stream in own.take(usize::try_from(each).unwrap()) {
            commit(&store, &ready, &streams, stream).await;
        }
    });
    join_all(fill).await;
    let changesets = usize::try_from(each * WRITERS).unwrap();
    let mut rates = [Vec::new(), Vec::new()];
    for _ in 0..args.rounds {
        rates[0].push(took(store.follow(Follow::default()), changesets, 3).await);
        rates[1].push(took(store.follow_events(Follow::default()), 3 * changesets, 1).await);
    }
    for (name, rates) in ["follow", "follow_events"].into_iter().zip(rates) {
        let rates = spread(rates.into_iter());
        println!(
            "{name} of ees-client on SQLite: {:.0} events a second (rounds {:.0} to {:.0})",
            rates.median, rates.least, rates.most
        );
    }
}

/// Events per second while so many items arrive, with so many events each.
async fn took<T, E: std::fmt::Debug>(
    items: impl Stream<Item = Result<T, E>> + Unpin,
    count: usize,
    events: usize,
) -> f64 {
    let begun = Instant::now();
    let mut items = items.take(count);
    while let Some(item) = items.next().await {
        item.unwrap();
    }
    per_second((count * events) as u64, begun.elapsed())
}
