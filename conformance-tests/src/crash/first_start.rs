//! SIGKILL while a store is created.

use std::thread;
use std::time::Duration;

use ees_core::adapter::Storage;

use super::harness::CrashHarness;
use super::opening::open;
use super::process::Process;
use super::trial::{self, Trial};
use crate::Case;
use crate::place::{Place, within};
use crate::subject::{Ask, Committed, Direct, Expect};
use crate::support::{commit, log, stream, unplaced};

const CASE: Case = Case {
    name: "crash::a_first_start_may_be_killed",
    guarantees: &[4],
};

/// How many stores are made when nothing else was asked for.
const STARTS: u64 = 12;

const STREAM: &str = "first";

/// The test of [`crash_suite!`](crate::crash_suite) that kills processes while they make a store.
/// The moments of the kills are spread over the time that a start takes. `test` is its path, by
/// which it starts itself as a child process.
///
/// # Panics
/// If a store cannot be opened and used afterwards. The message begins with the number of the
/// guarantee that is broken.
pub fn a_first_start_may_be_killed<H: CrashHarness>(test: &'static str) {
    trial::run::<H>(test, CASE, STARTS, async |trial| {
        let takes = one_start::<H>(trial, None).await;
        trial.say(&format!("a start takes {} ms", takes.as_millis()));
        let starts = u32::try_from(trial.rounds.max(1)).unwrap_or(u32::MAX);
        let part = takes * 5 / 4 / starts;
        for number in 0..starts {
            let moment = part * number + trial.schedule.up_to(part);
            one_start::<H>(trial, Some(moment)).await;
        }
    });
}

/// Makes a store, kills its process after so long, or once it is open, and goes on with the store.
/// Returns how long it took to open.
async fn one_start<H: CrashHarness>(trial: &Trial, moment: Option<Duration>) -> Duration {
    let place: H = trial.place().await;
    let mut process = Process::start(trial.test, &place.location());
    let mut takes = Duration::ZERO;
    match moment {
        None => takes = process.open().await,
        Some(moment) => {
            process.begin().await;
            thread::sleep(moment);
        }
    }
    process.kill();
    goes_on(&place).await;
    takes
}

/// The store opens, takes a commit, and knows it.
async fn goes_on<H: CrashHarness>(place: &H) {
    let storage = open(place).await;
    let store = Direct::new(storage.clone());
    let ask = Ask::new(STREAM, Expect::Changeset(0)).key(STREAM);
    let committed = commit(&*store, &ask).await;
    let committed = Committed {
        replayed: true,
        ..committed
    };
    let mut again = commit(&*store, &ask).await;
    // A store that orders after the commit may have given the checkpoint since.
    again.checkpoint = committed.checkpoint.and(again.checkpoint);
    Place::here().same(
        &again,
        &committed,
        "G10: the repeat of the first commit gets the first answer",
    );
    within("G8: every changeset gets its position", place.settle()).await;
    let found = unplaced(&log(&*store, 0, 10).await);
    let expected = unplaced(&stream(&*store, STREAM).await);
    Place::here().same(&found, &expected, "G6: only the first commit is stored");
    within("G4: the store closes", storage.close()).await;
}
