//! Attacks a running `ees serve` with clients that take more than their share, while a normal client
//! makes 500 requests, each on a connection of its own. Prints how many of them succeeded, the longest
//! of them, and the server's memory in MiB: the most, and what stays. `docs/performance.md` has the
//! limits.
//!
//! `cargo build --release`, then `cargo run --release -p benches --bin attack`.
// A benchmark panics if it cannot continue.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod attackers;
mod normal;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use attackers::Attackers;
use benches::process::Process;
use clap::Parser;

/// The arguments.
#[derive(Parser)]
struct Args {
    /// The server.
    #[arg(long, default_value = "target/release/ees")]
    server: PathBuf,
    /// The storage; a `sqlite:` file must not exist.
    #[arg(long, default_value = "memory:")]
    storage: String,
    /// How long the memory is waited for after each attack, in seconds.
    #[arg(long, default_value_t = 30)]
    patience: u64,
    /// Runs the attacks whose names contain this alone.
    #[arg(long, default_value = "")]
    only: String,
}

/// The most memory that may stay after an attack, in MiB.
const MAY_STAY: u64 = 100;

/// A name, what is stored before, and the attackers.
type Attack = (&'static str, &'static [usize], fn(&Process) -> Attackers);

const MIB: usize = 1024 * 1024;

const ATTACKS: [Attack; 5] = [
    (
        "2500 readers of 1 MiB that take nothing",
        &[MIB],
        |server| Attackers::readers(server, 2500),
    ),
    (
        "512 readers of 16 MiB that take nothing",
        &[16 * MIB - 4096],
        |server| Attackers::readers(server, 512),
    ),
    (
        "16 uploads of 16 MiB that stop one byte short",
        &[],
        |server| Attackers::uploads(server, 16, 16 * MIB),
    ),
    ("8192 idle connections", &[], |server| {
        Attackers::idle(server, 8192)
    }),
    ("16 bodies of two million keys, repeated", &[], |server| {
        Attackers::keys(server, 16, 2_000_000)
    }),
];

fn main() {
    let args = Args::parse();
    rlimit::increase_nofile_limit(20_000).unwrap();
    let mut all_is_well = true;
    for (name, stored, attack) in ATTACKS {
        if name.contains(&args.only) {
            all_is_well &= run(&args, name, stored, attack);
        }
    }
    assert!(all_is_well, "an attack succeeded");
}

fn run(args: &Args, name: &str, stored: &[usize], attack: fn(&Process) -> Attackers) -> bool {
    let server = Process::start(&args.server, &args.storage);
    for (at, bytes) in stored.iter().enumerate() {
        let body = format!(r#"{{"events":["{}"]}}"#, "x".repeat(*bytes));
        let path = format!("/streams/large?expected_last_changeset={at}");
        assert_eq!(server.request("POST", &path, &body), 200);
    }
    let (attacked, normal) = (AtomicBool::new(true), AtomicBool::new(true));
    let (most, told) = thread::scope(|scope| {
        let attackers = scope.spawn(|| {
            let mut attackers = attack(&server);
            while attacked.load(Ordering::Relaxed) {
                attackers.come_again(&server);
                thread::sleep(Duration::from_millis(200));
            }
        });
        let most = scope.spawn(|| {
            let mut most = 0;
            while normal.load(Ordering::Relaxed) {
                most = most.max(server.memory());
                thread::sleep(Duration::from_millis(20));
            }
            most
        });
        thread::sleep(Duration::from_secs(1));
        let told = normal::requests(&server);
        attacked.store(false, Ordering::Relaxed);
        attackers.join().unwrap();
        normal.store(false, Ordering::Relaxed);
        (most.join().unwrap(), told)
    });
    let stays = stays(&server, args.patience);
    println!(
        "{name}: {} of {} requests succeeded, the longest took {:.0} ms; at most {most} MiB, {stays} \
         MiB stay",
        told.succeeded,
        normal::REQUESTS,
        told.longest.as_secs_f64() * 1e3
    );
    told.succeeded == normal::REQUESTS && told.longest < Duration::from_secs(1) && stays < MAY_STAY
}

/// The memory that stays when the attackers have gone.
fn stays(server: &Process, patience: u64) -> u64 {
    let begun = Instant::now();
    while server.memory() >= MAY_STAY && begun.elapsed() < Duration::from_secs(patience) {
        thread::sleep(Duration::from_millis(200));
    }
    server.memory()
}
