//! Runs cases, each in a thread of its own, and reports each when it ends.

use std::any::Any;
use std::collections::VecDeque;
use std::io::{IsTerminal, Write};
use std::panic::catch_unwind;
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use ees_conformance::Runnable;

use crate::args::Args;
use crate::deployment;
use crate::report::{Outcome, Tested};
use crate::selection::why_not;

/// The additional time of a case beyond its limit, to start and to report what it waited for.
const GRACE: Duration = Duration::from_mins(1);

/// Runs all cases. Returns the results in the cases' order.
pub(crate) fn all(cases: &[Runnable], args: &Args, is_direct: bool) -> Vec<Tested> {
    // The report contains the message of a case's panic.
    std::panic::set_hook(Box::new(ees_conformance::note_panic));
    // A case enforces its own limit, and reports what it waited for.
    let limit = Duration::from_secs(args.time_limit) + GRACE;
    let progress = Progress::new(cases.len(), args.verbose);
    let waiting: Mutex<VecDeque<_>> = Mutex::new(cases.iter().enumerate().collect());
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..args.jobs.get().min(cases.len()) {
            scope.spawn(|| {
                while let Some((index, case)) = next(&waiting) {
                    let tested = one(*case, limit, is_direct);
                    progress.tell(&tested);
                    lock(&results).push((index, tested));
                }
            });
        }
    });
    progress.end();
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, tested)| tested).collect()
}

fn next<T>(waiting: &Mutex<VecDeque<T>>) -> Option<T> {
    lock(waiting).pop_front()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn one(runnable: Runnable, limit: Duration, is_direct: bool) -> Tested {
    let begun = Instant::now();
    let why = why_not(&runnable.case, is_direct).or_else(|| deployment::why_not(&runnable.case));
    let outcome = match why {
        Some(why) => Outcome::NotRun(why.to_owned()),
        None => outcome(runnable.run, limit),
    };
    Tested {
        case: runnable.case,
        outcome,
        took: begun.elapsed(),
    }
}

/// Runs a case to its end or to the time limit. A case that exceeds the limit is abandoned, and
/// ends with the process.
fn outcome(run: fn(), limit: Duration) -> Outcome {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        // After the time limit the receiver no longer exists.
        let _ = sender.send(catch_unwind(run));
    });
    match receiver.recv_timeout(limit) {
        Ok(Ok(())) => Outcome::Passed,
        Ok(Err(panic)) => Outcome::Failed(said(&*panic)),
        Err(_) => Outcome::Failed(format!(
            "it did not end within {} seconds, one minute more than --time-limit",
            limit.as_secs()
        )),
    }
}

/// The message of a panic.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("the case panicked without a message")
        .to_owned()
}

/// Prints the progress on standard error: on a terminal in one line that is overwritten, elsewhere
/// in one line per case.
struct Progress {
    total: usize,
    ended: Mutex<usize>,
    is_line_reused: bool,
}

impl Progress {
    fn new(total: usize, verbose: bool) -> Self {
        Self {
            total,
            ended: Mutex::new(0),
            is_line_reused: !verbose && std::io::stderr().is_terminal(),
        }
    }

    fn tell(&self, tested: &Tested) {
        let mut ended = lock(&self.ended);
        *ended += 1;
        let (total, name, word) = (self.total, tested.case.name, tested.outcome.word());
        let line = format!(
            "[{ended:>3}/{total}] {word:<7} {name} ({:.1} s)",
            tested.took.as_secs_f64()
        );
        let is_kept = !self.is_line_reused || matches!(tested.outcome, Outcome::Failed(_));
        let (begin, end) = match (self.is_line_reused, is_kept) {
            (false, _) => ("", "\n"),
            (true, true) => ("\r\x1b[K", "\n"),
            (true, false) => ("\r\x1b[K", ""),
        };
        write(&format!("{begin}{line}{end}"));
    }

    fn end(&self) {
        if self.is_line_reused {
            write("\r\x1b[K");
        }
    }
}

/// A failure to print the progress does not stop a test.
fn write(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes());
    let _ = stderr.flush();
}
