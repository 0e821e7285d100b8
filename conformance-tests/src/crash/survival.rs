//! SIGKILL at random moments while writers and readers are at work.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::task::JoinHandle;

use super::conclude::{Outcome, conclude};
use super::harness::CrashHarness;
use super::mover::Mover;
use super::process::Process;
use super::reader::Reader;
use super::schedule::Schedule;
use super::target::Client;
use super::trial::{self, Trial};
use super::writer::Writer;
use crate::Case;
use crate::place::within;

const CASE: Case = Case {
    name: "crash::what_was_acknowledged_survives",
    guarantees: &[4, 1, 2, 3, 5, 6, 7, 10, 13],
};

/// How often it is killed when nothing else was asked for.
const ROUNDS: u64 = 8;

/// How often one store goes through it, before the next one begins: what is to be checked at once
/// stays small.
const ROUNDS_A_STORE: u64 = 25;

const WRITERS: u64 = 6;

/// How many write sets of commits to several streams.
const MOVERS: u64 = 2;

/// How many changesets the readers take at once.
const READERS: [u64; 2] = [1000, 3];

/// The longest that a process works, in milliseconds.
const LIFE: u64 = 250;

/// The most answers that it gives.
const ANSWERS: u64 = 300;

/// The longest that one process outlives another, in milliseconds.
const BETWEEN: u64 = 20;

/// How long a process gets to open the store, where it is not known yet how long that takes.
const OPENING: Duration = Duration::from_millis(20);

/// The test of [`crash_suite!`](crate::crash_suite) that kills processes at work, again and again.
/// `test` is its path, by which it starts itself as a child process.
///
/// # Panics
/// If the store breaks a guarantee. The message begins with its number.
pub fn what_was_acknowledged_survives<H: CrashHarness>(test: &'static str) {
    trial::run::<H>(test, CASE, ROUNDS, async |trial| {
        let mut done = 0;
        while done < trial.rounds {
            let begun = Instant::now();
            let more = ROUNDS_A_STORE.min(trial.rounds - done);
            let outcome = crash_one_store::<H>(trial, more).await;
            done += more;
            let (rounds, took) = (trial.rounds, begun.elapsed().as_millis());
            trial.say(&format!(
                "{done} of {rounds} rounds; this store: {outcome}, {took} ms"
            ));
        }
    });
}

/// Kills processes on one store, and compares the final content with their answers.
async fn crash_one_store<H: CrashHarness>(trial: &mut Trial, rounds: u64) -> Outcome {
    let place: H = trial.place().await;
    let location = place.location();
    let clock = Arc::new(AtomicU64::new(0));
    let schedule = &mut trial.schedule;
    let writers = (0..WRITERS).map(|id| Writer::new(id, schedule.branch(), Arc::clone(&clock)));
    let mut writers: Vec<Writer> = writers.collect();
    let movers = (0..MOVERS).map(|id| Mover::new(id, Arc::clone(&clock)));
    let mut movers: Vec<Mover> = movers.collect();
    let mut readers: Vec<Reader> = READERS.map(Reader::new).into();
    let mut opening = OPENING;
    for _ in 0..rounds {
        if schedule.below(2) == 0 {
            let mut process = Process::start(trial.test, &location);
            process.begin().await;
            thread::sleep(schedule.up_to(opening * 5 / 4));
            process.kill();
        }
        let mut processes = Vec::new();
        for _ in 0..H::PROCESSES {
            let mut process = Process::start(trial.test, &location);
            opening = process.open().await;
            processes.push(process);
        }
        let writing = at_work(writers, &processes);
        let moving = at_work(movers, &processes);
        let reading = at_work(readers, &processes);
        live(&clock, schedule).await;
        for process in processes {
            process.kill();
            thread::sleep(schedule.milliseconds(BETWEEN));
        }
        (writers, readers) = (finished(writing).await, finished(reading).await);
        movers = finished(moving).await;
    }
    conclude(&place, &mut writers, &mut movers, &mut readers).await
}

/// Returns at a random moment after the first answer.
async fn live(clock: &AtomicU64, schedule: &mut Schedule) {
    let now = || clock.load(Ordering::SeqCst);
    let begun = now();
    // The first call of each writer and mover is a tick, and so is each answer.
    let until = async |ticks: u64| {
        while now() <= begun + ticks {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    within(
        "G4: a process that was started answers",
        until(WRITERS + MOVERS),
    )
    .await;
    let life = schedule.milliseconds(LIFE);
    let answers = 2 * schedule.below(ANSWERS);
    // Whichever comes first.
    let _ = tokio::time::timeout(life, until(answers)).await;
}

/// Sets clients to work, each until its process is gone.
fn at_work<C: Client>(clients: Vec<C>, processes: &[Process]) -> Vec<JoinHandle<C>> {
    let pipes = processes.iter().map(Process::pipe).cycle();
    let clients = clients.into_iter().zip(pipes).map(|(mut client, pipe)| {
        let pipe = Arc::clone(pipe);
        tokio::spawn(async move {
            client.work(&*pipe).await;
            client
        })
    });
    clients.collect()
}

/// The clients, once their processes are gone.
async fn finished<C>(clients: Vec<JoinHandle<C>>) -> Vec<C> {
    let clients = within("G4: a call ends with its process", join_all(clients)).await;
    let clients = clients
        .into_iter()
        .map(|client| client.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())));
    clients.collect()
}
