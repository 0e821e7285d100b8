//! The proof of the global order: a model checker runs the indexer's and the reader's own step
//! functions through every interleaving of a bounded world. `docs/global-order.md` describes its
//! coverage and how to start the long run.

mod model;
mod reader;
mod worker;
mod world;

use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model};

use model::{DENSE, INVARIANT, NOTHING_BROKEN, Setting};

/// A breach of the contract, by the storage or another program. The step functions stay unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lie {
    /// Nothing.
    None,
    /// A position is acknowledged before it is written: the next swap happens before the intent is
    /// complete.
    EarlyAcknowledgement,
    /// Candidates are read as of the start of the run: before the state was read, and before its
    /// intent was complete.
    ReadsBeforeCompletion,
    /// Candidates are read as of the read of the state: concurrently with the repair.
    ReadsBesideRepair,
    /// One changeset is announced under two names. Candidates are a set, so only this way can a
    /// block hold a changeset twice.
    TwoNames,
    /// A swap does not compare.
    BlindSwap,
    /// The reader takes all visible positions, and continues after the highest.
    MaxPlusOne,
}

/// Two workers, blocks of two, three changesets of two streams; a worker crashes, or a run fails.
const TWO_WORKERS: Setting = Setting {
    workers: 2,
    readers: 0,
    crashes: 1,
    losses: 0,
    copies: 1,
    commits: &["a", "a", "b"],
    later: &[],
    block: 2,
    waits: 0,
    taken_over: false,
    lie: Lie::None,
};

/// One worker that crashes, and a reader of an index that may hide any entry.
const A_READER: Setting = Setting {
    workers: 1,
    readers: 1,
    ..TWO_WORKERS
};

fn prove(name: &str, setting: Setting) {
    let begun = Instant::now();
    // Depth first keeps the number of waiting states small.
    let checker = setting.checker().threads(2).spawn_dfs().join();
    println!(
        "{name}: {} states, {} steps deep, {:.1} s",
        checker.unique_state_count(),
        checker.max_depth(),
        begun.elapsed().as_secs_f64()
    );
    checker.assert_properties();
}

/// The model checker detects every breach of the contract, by at least these properties.
fn refute(setting: Setting, expected: &[&'static str]) {
    let lie = setting.lie;
    let all = HasDiscoveries::AllOf(expected.iter().copied().collect());
    let checker = setting.checker().threads(2).finish_when(all).spawn_bfs();
    let checker = checker.join();
    println!(
        "{lie:?}: refuted after {} states",
        checker.unique_state_count()
    );
    for name in expected {
        assert!(
            checker.discovery(name).is_some(),
            "{lie:?} is not found: {name}"
        );
    }
}

#[test]
fn two_workers_one_crashes() {
    prove("two workers, one crashes", TWO_WORKERS);
}

#[test]
fn a_worker_waits_for_another() {
    let setting = Setting {
        commits: &["a", "b"],
        block: 1,
        waits: 2,
        ..TWO_WORKERS
    };
    prove("two workers that wait, one crashes", setting);
}

#[test]
fn two_workers_both_crash() {
    let setting = Setting {
        crashes: 2,
        commits: &["a", "b"],
        block: 1,
        ..TWO_WORKERS
    };
    prove("two workers, both crash", setting);
}

#[test]
fn notifications_are_lost_and_repeated() {
    let setting = Setting {
        losses: 1,
        copies: 2,
        commits: &["a", "b"],
        ..TWO_WORKERS
    };
    prove("notifications lost and repeated", setting);
}

#[test]
fn commits_go_on() {
    let setting = Setting {
        commits: &["a"],
        later: &["a"],
        ..TWO_WORKERS
    };
    prove("commits go on", setting);
}

#[test]
fn a_reader_follows_a_lagging_index() {
    prove("a reader, a lagging index", A_READER);
}

#[test]
fn a_table_that_was_taken_over() {
    let setting = Setting {
        taken_over: true,
        commits: &["a", "b", "a"],
        ..A_READER
    };
    prove("a table taken over", setting);
}

/// The models are small in every test run, and much larger with `EES_PROOF=long`.
#[test]
fn three_workers() {
    let small = Setting {
        workers: 3,
        crashes: 0,
        commits: &["a", "b"],
        block: 1,
        ..TWO_WORKERS
    };
    prove("three workers", small);
    if std::env::var("EES_PROOF").is_ok_and(|how| how == "long") {
        for (name, setting) in long_run(small) {
            prove(name, setting);
        }
    }
}

fn long_run(three: Setting) -> Vec<(&'static str, Setting)> {
    let one_crashes = Setting {
        crashes: 1,
        ..three
    };
    let larger = Setting {
        commits: TWO_WORKERS.commits,
        block: 2,
        ..three
    };
    let everything = Setting {
        losses: 1,
        copies: 2,
        commits: &["a", "b"],
        later: &["a"],
        ..TWO_WORKERS
    };
    let three_streams = Setting {
        commits: &["a", "b", "b", "c"],
        ..TWO_WORKERS
    };
    let with_reader = Setting {
        readers: 1,
        commits: &["a", "b"],
        block: 1,
        ..TWO_WORKERS
    };
    let largest = Setting {
        crashes: 1,
        ..larger
    };
    vec![
        ("three workers, one crashes", one_crashes),
        ("three workers, three changesets", larger),
        ("losses, repeats, commits and a crash", everything),
        ("two workers and a reader", with_reader),
        ("four changesets of three streams", three_streams),
        ("three workers, three changesets, one crashes", largest),
    ]
}

#[test]
fn a_swap_before_completion_is_refuted() {
    let setting = Setting {
        lie: Lie::EarlyAcknowledgement,
        ..TWO_WORKERS
    };
    refute(setting, &[INVARIANT, DENSE]);
}

#[test]
fn candidates_read_before_completion_are_refuted() {
    let setting = Setting {
        lie: Lie::ReadsBeforeCompletion,
        ..TWO_WORKERS
    };
    refute(setting, &[DENSE]);
}

/// The algorithm's reading is stricter than needed: the run treats the last intent's members as
/// indexed without reading them again, so reads that are concurrent with the repair cannot mislead
/// it.
#[test]
fn candidates_read_beside_the_repair_do_no_harm() {
    let setting = Setting {
        lie: Lie::ReadsBesideRepair,
        commits: &["a", "b"],
        block: 1,
        ..TWO_WORKERS
    };
    prove("candidates read beside the repair", setting);
}

#[test]
fn a_changeset_twice_in_a_block_is_refuted() {
    let setting = Setting {
        lie: Lie::TwoNames,
        ..TWO_WORKERS
    };
    refute(setting, &[DENSE, NOTHING_BROKEN]);
}

#[test]
fn a_swap_that_does_not_compare_is_refuted() {
    let setting = Setting {
        lie: Lie::BlindSwap,
        ..TWO_WORKERS
    };
    refute(setting, &[DENSE]);
}

#[test]
fn a_reader_that_takes_max_plus_one_is_refuted() {
    let setting = Setting {
        lie: Lie::MaxPlusOne,
        ..A_READER
    };
    refute(setting, &[NOTHING_BROKEN]);
}
