//! SIGKILL at random moments, again and again, while several writers and readers are at work: of a
//! server on a file; of two servers on one database, and of the database itself; of two servers on
//! DynamoDB's tables that both index.
//!
//! The short form is a test as all others. The long one is the same by command:
//!
//! ```console
//! EES_CRASH_ROUNDS=500 cargo test -p ees-cli --test it crash
//! ```
//!
//! Each run tells its seed; `EES_CRASH_SEED` gives it back, to repeat the schedule: when it is
//! killed, and what writers ask for. What runs beside what is the machine's choice each time.

mod ground;
mod streaming;
mod wire;

use std::env;
use std::io::{self, Write};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread;
use std::time::{Duration, Instant};

use ees_conformance::crash::{self, Client, Mover, Reader, Schedule, Writer};
use ees_conformance::history::{Operation, check_reader};
use ees_conformance::subject::{Changeset, Statistics};
use serde_json::{Value, json};

use self::ground::{Database, File, Ground, Tables};
use self::streaming::Follower;
use self::wire::Server;
use crate::process::{Ees, LONG, ees};
use crate::writers;

/// How often it is killed when nothing else was asked for.
const SHORT: u64 = 10;

/// How often one store goes through it, before the next one begins: the first moments of a store
/// are crashed into too, and what is to be checked at once stays small.
const ROUNDS_A_STORE: u64 = 25;

const WRITERS: u64 = 6;

/// How many changesets the readers take at once.
const READERS: [u64; 2] = [1000, 3];

/// How many readers follow event streams.
const FOLLOWERS: usize = 2;

/// The longest that a server lives untroubled.
const LIFE: u64 = 400;

/// The longest that it gets to start, where it is killed while it does.
const START: u64 = 60;

/// What one store has seen.
struct Outcome {
    stored: usize,
    lost: usize,
    stored_all_the_same: usize,
}

/// A number from the environment.
fn setting(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}: a number")))
}

#[test]
fn what_was_acknowledged_survives_sigkill_again_and_again() {
    crash::<File>();
}

#[test]
fn what_two_servers_acknowledged_survives_sigkill_of_them_and_of_the_database() {
    crash::<Database>();
}

#[test]
fn what_two_servers_on_dynamodb_acknowledged_survives_sigkill_of_both() {
    crash::<Tables>();
}

fn crash<G: Ground>() {
    let asked = setting("EES_CRASH_ROUNDS");
    let rounds = asked.unwrap_or(SHORT);
    let seed = setting("EES_CRASH_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    // A test's own prints are shown when it fails; those of a long run as they come.
    let say = |text: String| match asked {
        None => println!("{text}"),
        Some(_) => writeln!(io::stderr(), "{text}").expect("standard error"),
    };
    say(format!("crash: {rounds} rounds, EES_CRASH_SEED={seed}"));
    let mut schedule = Schedule::new(seed);
    let mut done = 0;
    while done < rounds {
        let begun = Instant::now();
        let more = ROUNDS_A_STORE.min(rounds - done);
        let outcome = crash_one_store(&G::new(), more, &mut schedule);
        done += more;
        say(format!(
            "crash: {done} of {rounds} rounds; this store: {} changesets, {} answers lost, of which \
             {} had been stored, {} ms",
            outcome.stored,
            outcome.lost,
            outcome.stored_all_the_same,
            begun.elapsed().as_millis()
        ));
    }
}

/// Kills servers of one store, and holds what stands in the end against what they had said.
fn crash_one_store(ground: &impl Ground, rounds: u64, schedule: &mut Schedule) -> Outcome {
    let clock = Arc::new(AtomicU64::new(0));
    let writers = (0..WRITERS).map(|id| Writer::new(id, schedule.branch(), Arc::clone(&clock)));
    let mut writers: Vec<Writer> = writers.collect();
    let mut movers: Vec<Mover> = vec![Mover::new(0, Arc::clone(&clock))];
    let mut readers: Vec<Reader> = READERS.map(Reader::new).into();
    let mut followers: Vec<_> = (0..FOLLOWERS).map(|_| Follower::default()).collect();
    let mut servers = Vec::new();
    for _ in 0..rounds {
        if schedule.below(2) == 0 {
            kill_while_it_starts(&ground.storage(), schedule.milliseconds(START));
        }
        ground.serve(&mut servers);
        let writing = at_work(writers, &servers);
        let moving = at_work(movers, &servers);
        let reading = at_work(readers, &servers);
        let following = follow(followers, &servers);
        thread::sleep(schedule.milliseconds(LIFE));
        ground.crash(&mut servers, schedule);
        (writers, readers) = (finished(writing), finished(reading));
        movers = finished(moving);
        followers = finished(following);
        ground.mend();
    }
    ground.serve(&mut servers);
    let server = Server(servers[0].address());
    for writer in &mut writers {
        settle(async || writer.repeat(&server).await);
    }
    for mover in &mut movers {
        settle(async || mover.repeat(&server).await);
    }
    ground.settle();
    let writing = (&mut writers[..], &mut movers[..]);
    conclude(&servers[0], writing, &mut readers, &mut followers)
}

/// Kills a server that may not be one yet: it makes the store, or mends it after the crash before.
fn kill_while_it_starts(storage: &str, after: Duration) {
    let mut command = ees(&["--storage", storage, "--listen", "127.0.0.1:0"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("ees starts");
    thread::sleep(after);
    child.kill().expect("SIGKILL is sent");
    child.wait().expect("an end");
}

/// Sets clients to work, each until its server is gone.
fn at_work<C: Client>(clients: Vec<C>, servers: &[Ees]) -> Vec<thread::JoinHandle<C>> {
    let servers = servers.iter().cycle();
    let clients = clients
        .into_iter()
        .zip(servers)
        .map(|(mut client, server)| {
            let server = Server(server.address());
            thread::spawn(move || {
                complete(client.work(&server));
                client
            })
        });
    clients.collect()
}

/// Sets readers of event streams to work, each until its stream ends.
fn follow(followers: Vec<Follower>, servers: &[Ees]) -> Vec<thread::JoinHandle<Follower>> {
    let servers = servers.iter().cycle();
    let followers = followers.into_iter().zip(servers);
    let following = followers.map(|(mut follower, server)| {
        let address = server.address();
        thread::spawn(move || {
            follower.work(&address);
            follower
        })
    });
    following.collect()
}

fn finished<C>(clients: Vec<thread::JoinHandle<C>>) -> Vec<C> {
    let clients = clients.into_iter();
    clients.map(|c| c.join().expect("no refusal")).collect()
}

/// Gets an answer for what has none yet, and to what was acknowledged last once more.
fn settle(mut repeat: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !complete(repeat()) {
        assert!(begun.elapsed() < LONG, "the server answers");
        thread::sleep(Duration::from_millis(20));
    }
}

/// What a client does, on this thread; it waits for each answer.
fn complete<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.expect("a runtime").block_on(work)
}

/// Checks, with a server that stays.
fn conclude(
    ees: &Ees,
    (writers, movers): (&mut [Writer], &mut [Mover]),
    readers: &mut [Reader],
    followers: &mut [Follower],
) -> Outcome {
    let server = Server(ees.address());
    let log: Vec<Changeset> = writers::log(ees).iter().map(wire::changeset).collect();
    assert!(!log.is_empty(), "something was written at all");
    let operations = writers.iter().flat_map(Writer::operations);
    let operations = operations.chain(movers.iter().flat_map(Mover::operations));
    let operations: Vec<Operation> = operations.cloned().collect();
    crash::check_operations(&operations, &log).unwrap_or_else(|fault| panic!("{fault}"));
    for mover in movers {
        mover.check(&log).unwrap_or_else(|fault| panic!("{fault}"));
    }
    for reader in readers {
        let reading = reader.catch_up(&server, log.len());
        let read = complete(async { tokio::time::timeout(LONG, reading).await });
        read.expect("G8: what stands can be read");
        check_reader(reader.read(), &log).unwrap_or_else(|fault| panic!("{fault}"));
    }
    for follower in followers {
        follower.catch_up(&ees.address(), log.len());
        check_reader(follower.read(), &log).unwrap_or_else(|fault| panic!("{fault}"));
    }
    for (stream, stands) in crash::by_stream(&log) {
        let head = ees.ok("GET", &format!("/streams/{stream}"), "");
        let last = stands
            .last()
            .map(|last| (last.changeset_id, last.last_event_id));
        let (changeset, event) = last.expect("what is in the log has an end");
        assert_eq!(head["last_changeset"], changeset, "G5: the end of {stream}");
        assert_eq!(head["last_event"], event, "G5: the end of {stream}");
    }
    assert_statistics(ees, &log);
    Outcome {
        stored: log.len(),
        lost: crash::lost(&operations).count(),
        stored_all_the_same: crash::stored_all_the_same(&operations),
    }
}

/// The counts are those of the log, once they have come so far.
fn assert_statistics(ees: &Ees, log: &[Changeset]) {
    let begun = Instant::now();
    loop {
        let found = ees.ok("GET", "/streams", "");
        if found["statistics_version"] == log.len() {
            assert_eq!(found, told(crash::statistics(log)), "G13: exact");
            return;
        }
        assert!(begun.elapsed() < LONG, "G13: statistics converge: {found}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Counts as the server tells them.
fn told(statistics: Statistics) -> Value {
    json!({
        "total_streams": statistics.total_streams,
        "total_changesets": statistics.total_changesets,
        "total_events": statistics.total_events,
        "max_stream_length": statistics.max_stream_length,
        "statistics_version": statistics.version,
    })
}
