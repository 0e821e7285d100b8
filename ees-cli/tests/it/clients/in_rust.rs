//! The client in Rust with a real server: cases 90 to 96 of `clients/cases.md`. Case 94, the README, is in
//! `examples/rust-client`.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ees_client::testing::Server;
use ees_client::{
    Changeset, ConsumerDefinition, ConsumerName, Error, EventStore, Events, Expectation, Follow,
    GlobalRead, NewChangeset, NewSet, Retry, StreamId,
};
use futures_util::future::{join, join_all, join3};
use futures_util::{StreamExt, TryStreamExt};
use tokio::sync::Notify;

use crate::process::sqlite;

const COMMANDS: usize = 240;
const WRITERS: usize = 6;
const STREAMS: usize = 5;
const KILLS: usize = 4;

pub(super) async fn serve(storage: &str) -> Server {
    let server = Server::of(env!("CARGO_BIN_EXE_ees"), storage).await;
    server.expect("the server starts")
}

/// A client that outlasts a restart.
pub(super) fn client(server: &Server) -> EventStore {
    let retry = Retry {
        attempts: 100,
        longest_pause: Duration::from_millis(300),
        ..Retry::default()
    };
    let built = EventStore::builder(&server.url()).retry(retry).build();
    built.expect("an address")
}

fn order(number: usize) -> StreamId {
    format!("order-{number}").parse().expect("a stream id")
}

fn events(number: usize) -> Events {
    Events::of(&[number]).expect("JSON")
}

/// Executes a command: after a conflict it decides anew, with the same key.
async fn execute(store: &EventStore, command: usize) {
    let mut last = 0;
    loop {
        let expected = Expectation::LastChangeset(last);
        let commit = NewChangeset::new(order(command % STREAMS), expected, events(command));
        let key = format!("command-{command}").parse().expect("a key");
        match store.commit(&commit.with_idempotency_key(key)).await {
            Ok(_) => return,
            Err(Error::Conflict { conflict, .. }) => last = conflict.last_changeset,
            Err(error) => panic!("command {command}: {error}"),
        }
    }
}

/// Writes with several writers, and kills the server while they write.
pub(super) async fn write_under_kills<R: Future<Output = ()>>(
    server: &mut Server,
    total: usize,
    write: impl Fn(usize) -> R,
) {
    let done = AtomicUsize::new(0);
    let writers = (0..WRITERS).map(|number| {
        let (write, done) = (&write, &done);
        async move {
            for command in (number..total).step_by(WRITERS) {
                write(command).await;
                done.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    let kills = async {
        for number in 1..=KILLS {
            while done.load(Ordering::Relaxed) < total * number / (KILLS + 1) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            server.restart().await.expect("it starts again");
        }
    };
    join(join_all(writers), kills).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sigkill_loses_doubles_and_reorders_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = serve(&sqlite(&folder.path().join("ees.db"))).await;
    let store = client(&server);
    let all: ConsumerName = "all".parse().expect("a name");
    let definition = ConsumerDefinition {
        partitions: 2,
        lease_seconds: 5,
        ..ConsumerDefinition::default()
    };
    let defined = store.define_consumer(&all, &definition).await;
    defined.expect("it is defined");

    let (seen, complete) = (Mutex::new(BTreeSet::new()), Notify::new());
    let handled = Mutex::new(Vec::new());
    let handle = |changeset: Changeset| {
        let id = (changeset.stream_id, changeset.changeset_id.get());
        let mut seen = seen.lock().expect("no panic");
        seen.insert(id.clone());
        handled.lock().expect("no panic").push(id);
        if seen.len() == COMMANDS {
            complete.notify_one();
        }
        async { Ok::<(), String>(()) }
    };
    let worker = store
        .worker(&all)
        .wait(Duration::from_secs(1))
        .concurrency(2);
    let consumed = worker.run_until(complete.notified(), handle);
    let followed = store
        .follow(Follow::default())
        .take(COMMANDS)
        .try_collect::<Vec<_>>();
    let written = write_under_kills(&mut server, COMMANDS, |command| execute(&store, command));
    let (consumed, followed, ()) = join3(consumed, followed, written).await;
    consumed.expect("case 92: the worker goes on");

    let stored: Result<Vec<_>, _> = store
        .read_all_changesets(GlobalRead::default())
        .try_collect()
        .await;
    let mut commands: Vec<usize> = stored
        .expect("it is read")
        .iter()
        .flat_map(|changeset| changeset.read_events().collect::<Vec<_>>())
        .map(|event| event.expect("a number"))
        .collect();
    commands.sort_unstable();
    assert_eq!(commands, (0..COMMANDS).collect::<Vec<_>>(), "case 90");

    let followed = followed.expect("case 91: it goes on");
    let checkpoints = followed
        .iter()
        .map(|changeset| changeset.checkpoint.expect("it has one"));
    let expected = (0..COMMANDS as u64).collect::<Vec<_>>();
    assert_eq!(
        checkpoints.map(u64::from).collect::<Vec<_>>(),
        expected,
        "case 91"
    );

    let mut effects = BTreeMap::new();
    for (stream, id) in handled.into_inner().expect("no panic") {
        let last: &mut u64 = effects.entry(stream).or_default();
        // A batch that is handed out again begins with something that was handled.
        assert!(id <= *last + 1, "case 92");
        *last = id.max(*last);
    }
    assert_eq!(effects.values().sum::<u64>(), COMMANDS as u64, "case 92");
}

#[tokio::test(flavor = "multi_thread")]
async fn sigkill_tears_no_set() {
    const SETS: usize = 60;
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = serve(&sqlite(&folder.path().join("ees.db"))).await;
    let store = client(&server);
    let write = |set: usize| {
        let store = store.clone();
        async move {
            let new = |name: &str| {
                let stream = format!("{name}-{set}").parse().expect("a stream id");
                NewChangeset::new(stream, Expectation::NEW_STREAM, events(set))
            };
            let key = format!("set-{set}").parse().expect("a key");
            let both = NewSet::default().commit(new("a")).commit(new("b"));
            let stored = store.commit_all(&both.with_idempotency_key(key)).await;
            stored.expect("case 96: it is stored");
        }
    };
    write_under_kills(&mut server, SETS, write).await;
    let found: Result<Vec<_>, _> = store
        .read_all_changesets(GlobalRead::default())
        .try_collect()
        .await;
    let found = found.expect("it is read");
    assert_eq!(found.len(), 2 * SETS, "case 96");
    for pair in found.chunks(2) {
        assert_eq!(
            pair[0].events, pair[1].events,
            "case 96: a set stands together"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_store_behind_the_address_ends_a_reader() {
    let mut server = serve("memory:").await;
    let store = client(&server);
    let commit = NewChangeset::new(order(1), Expectation::NEW_STREAM, events(1));
    store.commit(&commit).await.expect("it is stored");
    let mut followed = store.follow(Follow::default());
    let first = followed.next().await.expect("no end").expect("an item");
    assert_eq!(first.stream_id, order(1));
    server.restart().await.expect("it starts again");
    let next = followed.next().await.expect("no end");
    let error = next.expect_err("case 93");
    assert!(
        matches!(
            error,
            Error::OtherStore {
                same_below: None,
                ..
            }
        ),
        "case 93: {error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn half_of_a_lease_acknowledges_what_was_handled() {
    let server = serve("memory:").await;
    let store = client(&server);
    for last in 0..3 {
        let expected = Expectation::LastChangeset(last);
        let commit = NewChangeset::new(order(1), expected, events(1));
        store.commit(&commit).await.expect("it is stored");
    }
    let slow: ConsumerName = "slow".parse().expect("a name");
    let definition = ConsumerDefinition {
        lease_seconds: 5,
        ..ConsumerDefinition::default()
    };
    let defined = store.define_consumer(&slow, &definition).await;
    defined.expect("it is defined");
    let (handled, generations) = (Mutex::new(Vec::new()), Mutex::new(BTreeSet::new()));
    let complete = Notify::new();
    let handle = async |changeset: Changeset| {
        let report = store.consumer(&slow).await.expect("it is there");
        let generation = report.partitions[0].generation;
        generations.lock().expect("no panic").insert(generation);
        let number = {
            let mut handled = handled.lock().expect("no panic");
            handled.push(changeset.changeset_id.get());
            handled.len()
        };
        match number {
            // Longer than half of the lease.
            1 => tokio::time::sleep(Duration::from_millis(2600)).await,
            3 => complete.notify_one(),
            _ => {}
        }
        Ok::<(), String>(())
    };
    let ended = store
        .worker(&slow)
        .run_until(complete.notified(), handle)
        .await;
    ended.expect("case 95: it ends");
    assert_eq!(
        handled.into_inner().expect("no panic"),
        [1, 2, 3],
        "case 95"
    );
    assert!(
        generations.into_inner().expect("no panic").len() >= 2,
        "case 95"
    );
    let report = store.consumer(&slow).await.expect("it is there");
    assert_eq!(report.lag_changesets, 0, "case 95");
}
