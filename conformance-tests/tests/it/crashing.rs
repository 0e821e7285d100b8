//! The kit for crash tests can fail: stores that do not survive SIGKILL are found out.

mod journal;
mod mistakes;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use ees_conformance::crash::{self, CrashHarness};
use ees_conformance::faults::Faulty;
use tempfile::TempDir;

use journal::Journal;
use mistakes::Mistake;

/// A journal in a folder.
struct Folder<M> {
    folder: TempDir,
    mistake: M,
}

impl<M: Mistake> CrashHarness for Folder<M> {
    type Storage = Faulty<Journal<M>>;

    async fn start() -> Self {
        Self {
            folder: TempDir::new().expect("a folder"),
            mistake: M::default(),
        }
    }

    fn location(&self) -> String {
        self.folder.path().join("journal").display().to_string()
    }

    async fn open(location: &str) -> Arc<Faulty<Journal<M>>> {
        Journal::open(location.as_ref()).await
    }

    fn time_limit(&self) -> Duration {
        self.mistake.time_limit()
    }
}

/// What the broken ones are made of passes.
mod sound {
    use super::Folder;
    use super::mistakes::Sound;

    type Mine = Folder<Sound>;
    ees_conformance::crash_suite!(Mine, mod suite);
}

/// Asserts that a crash test finds a mistake, and that its message begins in one of these ways.
macro_rules! found {
    ($($test:ident: $mistake:ident, $by:ident => $($message:literal),+;)+) => {
        $(#[test]
        fn $test() {
            let path = concat!(module_path!(), "::", stringify!($test));
            let broken = || crash::$by::<Folder<mistakes::$mistake>>(path);
            let Err(panic) = catch_unwind(AssertUnwindSafe(broken)) else {
                panic!("{} let the mistake pass", stringify!($by));
            };
            let said = panic.downcast_ref::<String>().expect("a report");
            assert!([$($message),+].iter().any(|begin| said.starts_with(begin)), "{said}");
            assert!(said.contains(concat!("in the case crash::", stringify!($by))), "{said}");
            assert!(said.contains("EES_CRASH_SEED="), "{said}");
        })+
    };
}

found! {
    an_answer_before_the_write: AnswersEarly, what_was_acknowledged_survives => "G4: ";
    a_start_that_drops_the_last: DropsTheLast, what_was_acknowledged_survives => "G4: ";
    a_start_that_doubles_the_last: DoublesTheLast, what_was_acknowledged_survives => "G10: ";
    a_start_that_reorders: Reorders, what_was_acknowledged_survives => "G4: ";
    a_start_that_changes_times: ChangesTimes, what_was_acknowledged_survives => "G4: ";
    a_start_that_forgets_keys: ForgetsKeys, what_was_acknowledged_survives =>
        "G10: ", "G2: a conflict listed changeset ";
    a_start_that_fails_on_half_a_line: FailsOnHalfALine, what_was_acknowledged_survives =>
        "G4: a process opens the store, but it ended by itself";
    a_commit_that_is_seen_before_it_lasts: ShowsEarly, what_was_acknowledged_survives => "G6: ";
    counts_that_are_wrong: Miscounts, what_was_acknowledged_survives => "G13: ";
    a_process_that_ends: Ends, what_was_acknowledged_survives =>
        "G4: a process works until it is killed, but it ended by itself";
    a_commit_that_is_never_answered: NeverAnswers, what_was_acknowledged_survives =>
        "G4: a process that was started answers (waited ";
    a_store_that_is_made_in_steps: MadeInSteps, a_first_start_may_be_killed =>
        "G4: the store opens after its process was killed, but it does not: not a journal";
}
