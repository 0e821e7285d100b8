//! Runs a case with a store of its own, to its end or to its time limit.

use std::any::Any;
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::hints::{GUIDE, hint_for, named_in};
use crate::running::Running;
use crate::{Case, Harness};

/// The additional time in which a case can report itself that it exceeded its limit. A case that
/// blocks its thread cannot.
const GRACE: Duration = Duration::from_secs(2);

/// The interval of checks on a case.
const GLANCE: Duration = Duration::from_millis(100);

/// The time limit for the tasks of a failed case to end.
pub(crate) const REST: Duration = Duration::from_secs(1);

/// What a case does with its harness.
pub(crate) type Body<H> = for<'a> fn(&'a mut H) -> Ended<'a>;

/// The same, with what it has captured.
pub(crate) type BoxedBody<H> = Box<dyn for<'a> FnOnce(&'a mut H) -> Ended<'a> + Send>;

/// Ends with the case.
pub(crate) type Ended<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Runs one case against a new store.
///
/// # Panics
/// If the case fails. The message begins with the number of the broken guarantee, and ends with the
/// source location, the case and the usual cause.
pub fn run<H: Harness>(case: Case, body: impl AsyncFnOnce(&mut H) + Send + 'static) {
    boxed::<H>(
        case,
        Box::new(move |harness| Box::pin(async move { body(harness).await })),
    );
}

/// Runs one case, as [`run`] does. It is compiled once for each harness.
pub(crate) fn boxed<H: Harness>(case: Case, body: BoxedBody<H>) {
    let running = Running::new(case);
    let (sender, receiver) = mpsc::channel();
    let inside = running.clone();
    std::thread::spawn(move || {
        let ended = catch_unwind(AssertUnwindSafe(|| inside_runtime::<H>(&inside, body)));
        // After the time limit the receiver no longer exists.
        let _ = sender.send(ended);
    });
    let said = loop {
        match receiver.recv_timeout(GLANCE) {
            Ok(Ok(())) => return,
            Ok(Err(panic)) => break said(&*panic),
            Err(RecvTimeoutError::Timeout) if !running.is_late_by(GRACE) => {}
            Err(_) => break format!("{}; one of its threads is blocked", running.late()),
        }
    };
    panic!("{}", report(&running, &said));
}

fn inside_runtime<H: Harness>(running: &Running, body: BoxedBody<H>) {
    running.enter();
    let runtime = runtime(running.clone());
    let ended = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            let mut harness = H::start().await;
            let limit = running.begin(harness.time_limit());
            let ended = tokio::time::timeout(limit, body(&mut harness)).await;
            ended.unwrap_or_else(|_| std::panic::resume_unwind(Box::new(running.late())));
        });
    }));
    if let Err(panic) = ended {
        // Tasks that hang are abandoned.
        runtime.shutdown_timeout(REST);
        std::panic::resume_unwind(panic);
    }
}

pub(crate) fn runtime(running: Running) -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .on_thread_start(move || running.enter())
        .build()
        .expect("a runtime for the test")
}

/// The message of a panic.
pub(crate) fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("the case panicked without a message")
        .to_owned()
}

/// The whole message of a failure.
pub(crate) fn report(running: &Running, said: &str) -> String {
    let case = running.case();
    let mut text = match named_in(said) {
        Some(_) => said.to_owned(),
        None => format!("{}: {said}", case.guarantee()),
    };
    if let Some(place) = running.place().filter(|_| !said.contains(".rs:")) {
        let _ = write!(text, "\n  at {place}");
    }
    let _ = write!(text, "\n  in the case {}", case.name);
    let guarantee = named_in(&text).unwrap_or_default();
    if let Some(hint) = hint_for(&case, guarantee) {
        let _ = write!(
            text,
            "\n  usual cause: {} ({GUIDE}, \"{}\")",
            hint.cause, hint.section
        );
    }
    text
}
