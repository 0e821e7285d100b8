//! Opens 1,000 event streams on a running `ees serve`, and prints what they cost while nothing happens,
//! and how soon a commit reaches one of them.
//!
//! `cargo build --release`, then `cargo run --release -p benches --bin event_streams`.
// A benchmark panics if it cannot continue.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use benches::process::Process;
use benches::report::{percentile, spread};
use clap::Parser;

/// The arguments.
#[derive(Parser)]
struct Args {
    /// The server.
    #[arg(long, default_value = "target/release/ees")]
    server: PathBuf,
    /// How many streams are open.
    #[arg(long, default_value_t = 1000)]
    streams: usize,
    /// How long nothing happens, in seconds.
    #[arg(long, default_value_t = 60)]
    idle: u64,
    /// How many commits are made.
    #[arg(long, default_value_t = 500)]
    commits: u64,
}

fn main() {
    let args = Args::parse();
    rlimit::increase_nofile_limit(20_000).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let storage = format!("sqlite:{}", folder.path().join("ees.db").display());
    let server = Process::start(&args.server, &storage);
    assert_eq!(
        server.request("POST", "/streams/s", r#"{"events":[0]}"#),
        200
    );
    println!(
        "alone: {}",
        latencies(&server, &mut open(&server), 1, args.commits)
    );
    let before = server.memory();
    let streams: Vec<_> = (0..args.streams).map(|_| open(&server)).collect();
    let (cpu, begun) = (server.processor_time(), Instant::now());
    thread::sleep(Duration::from_secs(args.idle));
    let taken = server.processor_time().saturating_sub(cpu);
    let share = taken.as_secs_f64() / begun.elapsed().as_secs_f64();
    println!(
        "{} idle event streams: {:.2} percent of a core, {} MiB",
        streams.len(),
        share * 100.0,
        server.memory().saturating_sub(before)
    );
    drop(streams);
}

/// An event stream from the head on.
fn open(server: &Process) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream.set_nodelay(true).unwrap();
    let request = "GET /changesets?checkpoint=head HTTP/1.0\r\nAccept: text/event-stream\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut reader = BufReader::with_capacity(512, stream);
    next(&mut reader, "retry:");
    reader
}

/// Waits for a line that begins so.
fn next(reader: &mut BufReader<TcpStream>, beginning: &str) {
    loop {
        let mut line = String::new();
        assert_ne!(reader.read_line(&mut line).unwrap(), 0, "the stream ends");
        if line.starts_with(beginning) {
            return;
        }
    }
}

/// The times from a commit's request to its event.
fn latencies(
    server: &Process,
    stream: &mut BufReader<TcpStream>,
    first: u64,
    commits: u64,
) -> String {
    let times: Vec<f64> = (first..first + commits)
        .map(|last| {
            let path = format!("/streams/s?expected_last_changeset={last}");
            let begun = Instant::now();
            thread::scope(|scope| {
                let commit = scope.spawn(|| server.request("POST", &path, r#"{"events":[1]}"#));
                next(stream, "data:");
                let took = begun.elapsed().as_secs_f64() * 1e3;
                assert_eq!(commit.join().unwrap(), 200);
                took
            })
        })
        .collect();
    let median = spread(times.iter().copied()).median;
    let tail = percentile(times.iter().copied(), 99);
    format!(
        "from a commit to its event in {median:.2} ms at the median, {tail:.2} ms at the 99th percentile"
    )
}
