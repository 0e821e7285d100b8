//! What is crashed into: a file with one server, a database with two, tables of DynamoDB with two.

use std::thread;
use std::time::{Duration, Instant};

use ees_conformance::crash::Schedule;
use ees_dynamodb_testkit::Emulator;
use ees_postgres_testkit as testkit;
use tempfile::TempDir;

use crate::http;
use crate::process::{Ees, LONG, dynamodb, run, sqlite};

/// The longest that one server outlives another, in milliseconds.
const BETWEEN: u64 = 100;

pub(super) trait Ground {
    /// How many servers it has.
    const SERVERS: usize;

    /// An empty store.
    fn new() -> Self;

    /// Its URL.
    fn storage(&self) -> String;

    /// Kills what is at work, so that every client comes to its end.
    fn crash(&self, servers: &mut Vec<Ees>, schedule: &mut Schedule) {
        kill(servers, schedule);
    }

    /// Returns once everything has its place in the global order.
    fn settle(&self) {}

    /// Mends what was crashed and is no server of ours.
    fn mend(&self) {}

    /// Starts the servers that are missing, and waits until the others go on.
    fn serve(&self, servers: &mut Vec<Ees>) {
        for server in servers.iter() {
            wait_until_ready(server);
        }
        servers.resize_with(Self::SERVERS, || Ees::serve(&self.storage()));
    }
}

/// SIGKILL, one after another.
fn kill(servers: &mut Vec<Ees>, schedule: &mut Schedule) {
    for mut server in servers.drain(..) {
        server.kill();
        thread::sleep(schedule.milliseconds(BETWEEN));
    }
}

fn wait_until_ready(server: &Ees) {
    let begun = Instant::now();
    let status = || http::request(&server.address(), "GET", "/health/ready", "");
    while !status().is_ok_and(|answer| answer.status == 200) {
        assert!(begun.elapsed() < LONG, "the server goes on by itself");
        thread::sleep(Duration::from_millis(20));
    }
}

pub(super) struct File(TempDir);

impl Ground for File {
    const SERVERS: usize = 1;

    fn new() -> Self {
        Self(TempDir::new().expect("a folder"))
    }

    fn storage(&self) -> String {
        sqlite(&self.0.path().join("ees.db"))
    }
}

pub(super) struct Database {
    database: testkit::Database,
    server: testkit::Server,
}

impl Ground for Database {
    const SERVERS: usize = 2;

    fn new() -> Self {
        let server = testkit::Server::start().expect("PostgreSQL");
        let database = server.database().expect("a database");
        Self { database, server }
    }

    fn storage(&self) -> String {
        format!("{}?connect_timeout=60", self.database.url())
    }

    /// One server after the other, or the database under both, or all.
    fn crash(&self, servers: &mut Vec<Ees>, schedule: &mut Schedule) {
        let what = schedule.below(3);
        if what != 0 {
            self.server.kill().expect("SIGKILL is sent");
        }
        if what != 1 {
            kill(servers, schedule);
        }
    }

    fn mend(&self) {
        self.server.resume().expect("PostgreSQL recovers");
    }
}

pub(super) struct Tables {
    storage: String,
    _emulator: Emulator,
}

impl Ground for Tables {
    const SERVERS: usize = 2;

    fn new() -> Self {
        let emulator = Emulator::start().expect("DynamoDB");
        let storage = dynamodb(&emulator);
        admin(&storage, "create-tables");
        Self {
            storage,
            _emulator: emulator,
        }
    }

    fn storage(&self) -> String {
        self.storage.clone()
    }

    fn settle(&self) {
        admin(&self.storage, "sweep");
    }
}

fn admin(storage: &str, act: &str) {
    let (code, _, errors) = run(&["admin", act, "--storage", storage]);
    assert_eq!(code, Some(0), "ees admin {act}: {errors}");
}
