//! The state of the running case: the case, its time limit, and what it waits for.
//!
//! Every thread of a case's runtime knows its case, so that helpers need no argument for it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::PanicHookInfo;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::{Case, environment};

/// The time limit of a case, unless its harness sets another.
pub(crate) const TIME_LIMIT: Duration = Duration::from_mins(1);

thread_local! {
    static RUNNING: RefCell<Option<Running>> = const { RefCell::new(None) };
}

/// A running case.
#[derive(Clone)]
pub(crate) struct Running {
    case: Case,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// The time limit and the start; absent until the store has started.
    limit: Option<(Duration, Instant)>,
    /// The current waits by number, the oldest first.
    waits: BTreeMap<u64, String>,
    next_wait: u64,
    /// The last wait.
    last_wait: Option<String>,
    /// The location of the last panic.
    place: Option<String>,
}

impl Running {
    pub(crate) fn new(case: Case) -> Self {
        Self {
            case,
            state: Arc::default(),
        }
    }

    /// Makes this the case of the current thread.
    pub(crate) fn enter(&self) {
        RUNNING.set(Some(self.clone()));
    }

    /// The case of the current thread.
    pub(crate) fn current() -> Option<Self> {
        RUNNING.with_borrow(Clone::clone)
    }

    pub(crate) fn case(&self) -> Case {
        self.case
    }

    /// Starts the clock with a limit, and returns the limit that holds: the environment overrides
    /// it.
    pub(crate) fn begin(&self, limit: Duration) -> Duration {
        let limit = environment::time_limit().unwrap_or(limit);
        self.lock().limit = Some((limit, Instant::now()));
        limit
    }

    /// Whether the case has exceeded its limit by this time.
    pub(crate) fn is_late_by(&self, grace: Duration) -> bool {
        let limit = self.lock().limit;
        limit.is_some_and(|(limit, begun)| begun.elapsed() > limit + grace)
    }

    fn limit(&self) -> Duration {
        self.lock().limit.map_or(TIME_LIMIT, |(limit, _)| limit)
    }

    /// Records a wait, as long as the guard lives.
    fn wait(&self, what: String) -> Wait {
        let mut state = self.lock();
        let number = state.next_wait;
        state.next_wait += 1;
        state.last_wait = Some(what.clone());
        state.waits.insert(number, what);
        Wait {
            running: self.clone(),
            number,
        }
    }

    /// The message for a case that did not end.
    pub(crate) fn late(&self) -> String {
        let (case, limit) = (self.case, seconds(self.limit()));
        let state = self.lock();
        let waits: Vec<_> = state.waits.values().take(3).cloned().collect();
        let waits = match waits.as_slice() {
            [] => {
                let last = state.last_wait.clone();
                format!("last wait: {}", last.unwrap_or_default())
            }
            waits => format!("still waiting for: {}", waits.join("; ")),
        };
        let guarantee = case.guarantee();
        format!("{guarantee}: the case ends (waited {limit}); {waits}")
    }

    /// The location of the last panic, if it was recorded.
    pub(crate) fn place(&self) -> Option<String> {
        self.lock().place.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A current wait.
pub(crate) struct Wait {
    running: Running,
    number: u64,
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.running.lock().waits.remove(&self.number);
    }
}

/// Records a wait of the current case, if one runs.
pub(crate) fn waits_for(what: String) -> Option<Wait> {
    Running::current().map(|running| running.wait(what))
}

/// The main guarantee of the running case. A failure of a step that every case needs, such as a
/// commit, is reported under it.
pub(crate) fn guarantee() -> String {
    match Running::current() {
        Some(running) => running.case.guarantee(),
        None => "G2".to_owned(),
    }
}

/// The time limit of one wait of the current case: half of the case's limit.
pub(crate) fn wait_limit() -> Duration {
    let limit = Running::current().map_or(TIME_LIMIT, |running| running.limit());
    limit / 2
}

/// A duration, for people.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

/// Records the location of a case's panic for its report. A program that runs cases and does not
/// print panics calls it from its panic hook.
pub fn note_panic(info: &PanicHookInfo<'_>) {
    if let (Some(running), Some(place)) = (Running::current(), info.location()) {
        running.lock().place = Some(format!("{}:{}", place.file(), place.line()));
    }
}
