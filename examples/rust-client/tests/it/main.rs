//! The programs, against a server that is restarted, and killed while they work: case 94 of
//! `clients/cases.md`.

// A test says what is wrong by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clap::Parser;
use ees_cli::args::Cli;
use ees_cli::server::Server;
use ees_client::{EventStore, Events, Expectation, NewChangeset};

const PAY: &str = env!("CARGO_BIN_EXE_pay");
const TOTALS: &str = env!("CARGO_BIN_EXE_totals");
const BILLS: &str = env!("CARGO_BIN_EXE_bills");
const TRANSFER: &str = env!("CARGO_BIN_EXE_transfer");

/// A server on a file, at an address of its own.
struct Served {
    server: Server,
    storage: String,
    url: String,
}

impl Served {
    async fn start(storage: &str, listen: &str) -> Self {
        let args = Cli::parse_from(["ees", "--storage", storage, "--listen", listen]);
        let server = Server::start(&args.serve).await;
        let server = server.unwrap_or_else(|failure| panic!("{failure}"));
        Self {
            url: format!("http://{}", server.address()),
            storage: storage.to_owned(),
            server,
        }
    }

    async fn restart(self) -> Self {
        let listen = self.server.address().to_string();
        self.server.stop().await.expect("it stops");
        Self::start(&self.storage, &listen).await
    }
}

fn program(binary: &str, folder: &Path, url: &str) -> Command {
    let mut command = Command::new(binary);
    command
        .current_dir(folder)
        .env("EES_URL", url)
        .stdin(Stdio::null());
    command
}

/// Runs a program to its end; whether it succeeded.
async fn run(mut command: Command, arguments: &[&str]) -> bool {
    command.args(arguments);
    let ended = tokio::task::spawn_blocking(move || command.output());
    ended.await.unwrap().unwrap().status.success()
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

fn totals(folder: &Path) -> BTreeMap<String, u64> {
    let Ok(text) = fs::read(folder.join("totals.json")) else {
        return BTreeMap::new();
    };
    let totals: serde_json::Value = serde_json::from_slice(&text).unwrap();
    serde_json::from_value(totals["cents"].clone()).unwrap()
}

/// Waits until the sums are as expected.
async fn reaches(folder: &Path, expected: &[(&str, u64)]) {
    let expected: BTreeMap<String, u64> = expected
        .iter()
        .map(|(order, sum)| ((*order).to_owned(), *sum))
        .collect();
    let begun = Instant::now();
    while totals(folder) != expected && begun.elapsed() < Duration::from_mins(2) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(totals(folder), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_programs_of_the_readme_work_and_survive() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let storage = format!("sqlite:{}", folder.join("ees.db").display());
    let mut served = Served::start(&storage, "127.0.0.1:0").await;
    let url = served.url.clone();
    let start = |binary: &str| program(binary, folder, &url).spawn().unwrap();

    for (cents, command, succeeds) in [
        ("250", "command-1", true),
        ("100", "command-2", true),
        ("100", "command-2", true),
        ("900", "too-much", false),
    ] {
        let paid = run(program(PAY, folder, &url), &["order-17", cents, command]).await;
        assert_eq!(paid, succeeds, "{command}");
    }
    let mut projection = start(TOTALS);
    reaches(folder, &[("order-17", 350)]).await;
    let store = EventStore::new(&url).unwrap();
    for number in 0..3 {
        for last in 0..5 {
            let stream = format!("order-{number}").parse().unwrap();
            let paid = serde_json::json!({ "type": "paid", "cents": 1 });
            let events = Events::of(&[&paid, &paid]).unwrap();
            let commit = NewChangeset::new(stream, Expectation::LastChangeset(last), events);
            store.commit(&commit).await.unwrap();
        }
        // At whatever it does: reading, writing, or nothing.
        kill(projection);
        served = served.restart().await;
        projection = start(TOTALS);
    }
    let others = [("order-0", 10), ("order-1", 10), ("order-2", 10)];
    reaches(folder, &[&[("order-17", 350)], &others[..]].concat()).await;

    for (cents, command, succeeds) in [
        ("100", "move-1", true),
        ("100", "move-1", true),
        ("300", "too-much", false),
    ] {
        let arguments = ["order-17", "order-0", cents, command];
        let moved = run(program(TRANSFER, folder, &url), &arguments).await;
        assert_eq!(moved, succeeds, "{command}");
    }
    let others = [("order-0", 110), ("order-1", 10), ("order-2", 10)];
    reaches(folder, &[&[("order-17", 250)], &others[..]].concat()).await;
    kill(projection);

    let mut bills = program(BILLS, folder, &url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(bills.stdout.take().unwrap());
    let billed = tokio::task::spawn_blocking(|| {
        let lines = output.lines().take(19).map(Result::unwrap);
        lines.filter(|line| line.starts_with("order-17 ")).count()
    });
    assert_eq!(billed.await.unwrap(), 3);
    kill(bills);
    served.server.stop().await.unwrap();
}

/// The guide quotes the programs as they are.
#[test]
fn the_readme_quotes_the_programs() {
    let read = |path: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path));
    let readme = read("../../ees-client/README.md").unwrap();
    for name in ["pay", "totals", "transfer", "bills"] {
        let source = read(&format!("src/bin/{name}.rs")).unwrap();
        assert!(readme.contains(&source), "the README quotes {name}.rs");
    }
}
