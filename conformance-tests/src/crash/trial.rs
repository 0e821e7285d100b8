//! Runs a crash test: in the child process that one started, or as the test itself.

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::child;
use super::harness::CrashHarness;
use super::schedule::Schedule;
use crate::Case;
use crate::environment;
use crate::run::{REST, report, runtime, said};
use crate::running::Running;

/// A crash test that runs.
pub(super) struct Trial {
    /// The test, by its path.
    pub(super) test: &'static str,
    /// How often it kills.
    pub(super) rounds: u64,
    pub(super) schedule: Schedule,
    is_long: bool,
    running: Running,
}

impl Trial {
    /// A new location.
    pub(super) async fn place<H: CrashHarness>(&self) -> H {
        let place = H::start().await;
        self.running.begin(place.time_limit());
        place
    }

    /// A test's own prints are shown when it fails; those of a long run as they come.
    pub(super) fn say(&self, text: &str) {
        if self.is_long {
            // Nobody has to listen.
            let _ = writeln!(io::stderr(), "crash: {text}");
        } else {
            println!("crash: {text}");
        }
    }
}

/// Runs a crash test with so many rounds, unless `EES_CRASH_ROUNDS` says otherwise.
pub(super) fn run<H: CrashHarness>(
    test: &'static str,
    case: Case,
    short: u64,
    body: impl AsyncFnOnce(&mut Trial),
) {
    if let Some(location) = environment::location() {
        child::serve::<H>(&location);
    }
    let asked = environment::rounds();
    let seed = environment::seed().unwrap_or_else(|| u64::from(std::process::id()));
    let running = Running::new(case);
    let mut trial = Trial {
        test,
        rounds: asked.unwrap_or(short),
        schedule: Schedule::new(seed),
        is_long: asked.is_some(),
        running: running.clone(),
    };
    trial.say(&format!("{} rounds, EES_CRASH_SEED={seed}", trial.rounds));
    running.enter();
    let runtime = runtime(running.clone());
    let ended = catch_unwind(AssertUnwindSafe(|| runtime.block_on(body(&mut trial))));
    // Tasks that hang are abandoned.
    runtime.shutdown_timeout(REST);
    if let Err(panic) = ended {
        let report = report(&running, &said(&*panic));
        panic!("{report}\n  with EES_CRASH_SEED={seed}");
    }
}
