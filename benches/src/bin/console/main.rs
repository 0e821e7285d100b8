//! Measures the console of a running `ees serve` over a SQLite store of a million streams: how soon the
//! first byte of each page comes, and what open live logs cost.
//!
//! `cargo build --release`, then `cargo run --release -p benches --bin console`.
// A benchmark panics if it cannot continue.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use benches::process::Process;
use benches::report::percentile;
use benches::{fill, load};
use clap::Parser;
use rusqlite::{Connection, params};

/// The arguments.
#[derive(Parser)]
struct Args {
    /// The server.
    #[arg(long, default_value = "target/release/ees")]
    server: PathBuf,
    /// How many changesets the store has, each in a stream of its own.
    #[arg(long, default_value_t = 1_000_000)]
    changesets: u64,
    /// How often each page is asked for.
    #[arg(long, default_value_t = 100)]
    requests: u64,
    /// How many live logs are open.
    #[arg(long, default_value_t = 20)]
    consoles: usize,
    /// How many commits are made in a second.
    #[arg(long, default_value_t = 20)]
    commits: u64,
    /// How long each state of the live logs is measured, in seconds.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
}

const COUNTED: &str = "
    INSERT INTO statistics (id, version, total_streams, total_changesets, total_events, max_stream_length)
    VALUES (1, ?1, ?1, ?1, 3 * ?1, 1)
    ON CONFLICT (id) DO UPDATE SET version = ?1, total_streams = ?1, total_changesets = ?1,
                                   total_events = 3 * ?1, max_stream_length = 1";

/// Streams of one changeset each; the first one alone has an event of the type `rare`.
async fn fill(path: &Path, changesets: u64) {
    let events = load::events(1);
    let rare = events.replace("price_changed", "rare");
    let changeset = |at| fill::changeset(at, at, 0, if at == 0 { &rare } else { &events });
    fill::fill_file(path, changesets, changeset).await;
    let store = Connection::open(path).unwrap();
    store.execute(COUNTED, params![changesets]).unwrap();
}

#[tokio::main]
async fn main() {
    let args = Args::parse();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ees.db");
    fill(&path, args.changesets).await;
    let server = Process::start(&args.server, &format!("sqlite:{}", path.display()));
    let defined = server.request("PUT", "/consumers/billing", r#"{"partitions": 8}"#);
    assert_eq!(defined, 201);
    pages(&server, &args);
    live(&server, &args);
}

/// Prints how soon the first byte of each page comes.
fn pages(server: &Process, args: &Args) {
    let middle = args.changesets / 2;
    for (name, path) in [
        ("overview", "/console".to_owned()),
        ("log", "/console/log".to_owned()),
        (
            "log, in the middle",
            format!("/console/log?before={middle}"),
        ),
        ("log of a prefix", "/console/log?prefix=order-99".to_owned()),
        (
            "log of a type that is rare",
            "/console/log?type=rare".to_owned(),
        ),
        (
            "the same, in the middle",
            format!("/console/log?type=rare&before={middle}"),
        ),
        (
            "log around a time",
            "/console/log?at=2023-11-20T00:00".to_owned(),
        ),
        ("stream", format!("/console/stream?id=order-{middle}")),
        ("consumers", "/console/consumers".to_owned()),
        (
            "consumer, a million behind",
            "/console/consumer?name=billing".to_owned(),
        ),
    ] {
        let times = (0..args.requests).map(|_| first_byte(server, &path).as_secs_f64() * 1000.0);
        let times: Vec<f64> = times.collect();
        let at = |percent| percentile(times.iter().copied(), percent);
        println!(
            "{name}: {:.1} ms, 99 of 100 within {:.1} ms",
            at(50),
            at(99)
        );
    }
}

/// How long a request takes until the first byte of its answer.
fn first_byte(server: &Process, path: &str) -> Duration {
    let mut stream = ask(server, path);
    let begun = Instant::now();
    let mut beginning = [0; 12];
    stream.read_exact(&mut beginning).unwrap();
    let took = begun.elapsed();
    assert!([b'2', b'3'].contains(&beginning[9]), "{path}");
    took
}

fn ask(server: &Process, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream.set_nodelay(true).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    stream
}

/// Prints what live logs cost while nothing is committed, and while something is.
fn live(server: &Process, args: &Args) {
    let commits = args.commits;
    let quiet = share(server, args, 0, 0);
    println!("no console, no commit: {quiet:.2} percent of a core");
    let quiet = share(server, args, args.consoles, 0);
    println!("{} live logs, no commit: {quiet:.2} percent", args.consoles);
    let alone = share(server, args, 0, commits);
    println!("no console, {commits} commits a second: {alone:.2} percent");
    let both = share(server, args, args.consoles, commits);
    println!(
        "{} live logs, {commits} commits a second: {both:.2} percent",
        args.consoles
    );
}

/// The share of a core that the server takes meanwhile, in percent.
fn share(server: &Process, args: &Args, consoles: usize, commits: u64) -> f64 {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..consoles {
            scope.spawn(|| follow(server, &is_over));
        }
        // Their first answers are not measured.
        thread::sleep(Duration::from_secs(2));
        let (before, begun) = (server.processor_time(), Instant::now());
        while begun.elapsed() < Duration::from_secs(args.seconds) {
            if commits == 0 {
                thread::sleep(Duration::from_millis(100));
                continue;
            }
            let body = r#"{"events": [{"type": "placed"}]}"#;
            let stream = format!("/streams/live-{}", begun.elapsed().as_nanos());
            let status = server.request("POST", &stream, body);
            assert!(status == 200 || status == 409, "{status}");
            thread::sleep(Duration::from_millis(1000 / commits));
        }
        let taken = server.processor_time().saturating_sub(before);
        let share = 100.0 * taken.as_secs_f64() / begun.elapsed().as_secs_f64();
        is_over.store(true, Ordering::Relaxed);
        // Ends what still waits.
        server.request(
            "POST",
            &format!("/streams/end-{commits}-{consoles}"),
            r#"{"events": [1]}"#,
        );
        share
    })
}

/// A live log, as the console's script keeps it.
fn follow(server: &Process, is_over: &AtomicBool) {
    let mut after = u64::MAX.to_string();
    while !is_over.load(Ordering::Relaxed) {
        let mut answer = String::new();
        let path = match after.parse::<u64>() {
            Ok(u64::MAX) => "/changesets?checkpoint=head".to_owned(),
            _ => format!("/console/tail?after={after}"),
        };
        ask(server, &path).read_to_string(&mut answer).unwrap();
        let next = answer
            .lines()
            .find_map(|line| line.strip_prefix("ees-next: "));
        let head = answer.split("\"next_checkpoint\":").nth(1);
        let head = head.and_then(|rest| rest.split(['}', ',']).next());
        next.or(head)
            .expect("a position")
            .trim()
            .clone_into(&mut after);
        thread::sleep(Duration::from_secs(1));
    }
}
