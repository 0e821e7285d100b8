//! The proof of consumers: a model checker runs the partitions' own state machine through every
//! interleaving of a bounded world. Workers crash, sleep and fail, answers are lost,
//! acknowledgements arrive late and twice, and operators call.

mod model;
mod world;

use stateright::{Checker, HasDiscoveries, Model};

use model::{COMPLETE, FENCED, IN_ORDER, NO_SKIP, Setting};

/// A breach of the rules, around the unchanged state machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lie {
    /// Nothing.
    None,
    /// The generation of an acknowledgement is not compared.
    NoFence,
    /// Parked streams are never tried.
    PassedByForEver,
    /// A parked stream is live again after its first retry, whatever remains of it.
    LiveTooEarly,
    /// A retry is handed out while a live batch is out, and both count.
    RetryBesideLive,
    /// The end of the batch is not compared.
    BeyondTheBatch,
}

/// Two workers, two partitions, three streams; something fails, crashes and is repeated.
const WORLD: Setting = Setting {
    limit: 2,
    failures: 1,
    crashes: 1,
    repeats: 1,
    calls: 0,
    order: &[("a", 1), ("b", 1), ("a", 2), ("c", 1)],
    later: 0,
    lie: Lie::None,
};

fn prove(name: &str, setting: Setting) {
    let checker = setting.checker().threads(2).spawn_dfs().join();
    println!("{name}: {} states", checker.unique_state_count());
    checker.assert_properties();
}

fn refute(setting: Setting, expected: &'static str) {
    let all = HasDiscoveries::AllOf([expected].into());
    let checker = setting.checker().threads(2).finish_when(all).spawn_bfs();
    let checker = checker.join();
    println!("{:?}: {} states", setting.lie, checker.unique_state_count());
    let lie = setting.lie;
    assert!(
        checker.discovery(expected).is_some(),
        "{lie:?} is not found"
    );
}

#[test]
fn a_worker_fails_crashes_and_repeats() {
    let no_repeat = Setting {
        repeats: 0,
        ..WORLD
    };
    prove("failure, crash", no_repeat);
    let no_crash = Setting {
        crashes: 0,
        ..WORLD
    };
    prove("failure, repeat", no_crash);
    let all = Setting {
        limit: 1,
        order: &[("a", 1), ("b", 1), ("c", 1)],
        ..WORLD
    };
    prove("failure, crash, repeat", all);
}

#[test]
fn a_stream_fails_twice_while_changesets_arrive() {
    let setting = Setting {
        limit: 1,
        failures: 2,
        crashes: 0,
        repeats: 0,
        order: &[("a", 1), ("a", 2), ("c", 1), ("a", 3)],
        later: 1,
        ..WORLD
    };
    prove("failures, later changesets", setting);
}

#[test]
fn operators_retry_skip_and_reset() {
    let setting = Setting {
        calls: 2,
        crashes: 0,
        repeats: 0,
        order: &[("a", 1), ("b", 1), ("a", 2)],
        ..WORLD
    };
    prove("operators", setting);
    let setting = Setting {
        calls: 1,
        repeats: 0,
        order: &[("a", 1), ("a", 2)],
        ..WORLD
    };
    prove("an operator and a crash", setting);
}

#[test]
fn an_acknowledgement_that_is_not_fenced_is_refuted() {
    let lie = Lie::NoFence;
    refute(Setting { lie, ..WORLD }, FENCED);
}

#[test]
fn a_parked_stream_that_is_never_tried_is_refuted() {
    let lie = Lie::PassedByForEver;
    refute(Setting { lie, ..WORLD }, COMPLETE);
}

const CATCHING_UP: Setting = Setting {
    limit: 1,
    crashes: 0,
    repeats: 0,
    order: &[("a", 1), ("a", 2), ("a", 3)],
    ..WORLD
};

#[test]
fn a_stream_that_is_live_too_early_is_refuted() {
    let lie = Lie::LiveTooEarly;
    refute(Setting { lie, ..CATCHING_UP }, NO_SKIP);
}

#[test]
fn a_retry_beside_a_live_batch_is_refuted() {
    let setting = Setting {
        lie: Lie::RetryBesideLive,
        order: &[("a", 1), ("a", 2), ("b", 1)],
        ..CATCHING_UP
    };
    refute(setting, NO_SKIP);
}

#[test]
fn an_acknowledgement_beyond_its_batch_is_refuted() {
    let lie = Lie::BeyondTheBatch;
    refute(Setting { lie, ..WORLD }, NO_SKIP);
}

/// What is skipped is also handled too late, or never.
#[test]
fn a_stream_out_of_order_is_refuted() {
    let setting = Setting {
        lie: Lie::LiveTooEarly,
        later: 1,
        ..CATCHING_UP
    };
    refute(setting, IN_ORDER);
}
