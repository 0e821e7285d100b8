//! The cases for adapters whose harness can make their own writes fail, below the storage port.
//! They check the error of a failed commit, the reads after it, the answer of a repeat, and the
//! content after a restart.
//!
//! A harness gives the faults by [`faults`](crate::AdapterHarness::faults) and names their kinds to
//! [`adapter_suite!`](crate::adapter_suite!). Cases of the kinds that are not named are reported as
//! not run.

mod aftermath;
mod aftermath_of_sets;
mod scene;

pub mod after_the_write;
pub mod before_the_write;
pub mod late;

use crate::{AdapterHarness, Case};

list! { $
    /// The cases for adapters whose harness makes writes fail, by the kind of the fault.
    fault_cases: FAULT_CASES, __fault_cases, AdapterHarness:
    before_the_write {
        what_is_told_of_a_failed_commit_is_true [10, 2];
        a_repeat_is_answered_as_one_commit [10];
        another_commit_may_take_the_place [2, 10];
        nothing_is_read_that_does_not_last [2, 5];
        the_order_goes_on_without_a_hole [6, 3];
        a_restart_finds_what_was_told [4, 10];
        a_failed_set_is_stored_whole_or_not_at_all [1, 10, 4];
    }
    after_the_write {
        what_is_told_of_a_failed_commit_is_true [10, 2];
        a_repeat_is_answered_as_one_commit [10];
        another_commit_may_take_the_place [2, 10];
        nothing_is_read_that_does_not_last [2, 5];
        the_order_goes_on_without_a_hole [6, 3];
        a_restart_finds_what_was_told [4, 10];
        a_failed_set_is_stored_whole_or_not_at_all [1, 10, 4];
    }
    late {
        a_late_commit_is_answered_in_the_end [8, 10];
        a_caller_who_goes_away_may_ask_again [10];
        nothing_is_read_that_does_not_last [2, 5];
    }
}

/// The cases whose fault a harness does not make.
pub fn not_run(kinds: &[&str]) -> Vec<Case> {
    let cases = FAULT_CASES.iter().copied();
    cases
        .filter(|case| !kinds.contains(&case.group()))
        .collect()
}

/// Prints which cases are not run, and why. The kinds named to
/// [`adapter_suite!`](crate::adapter_suite!) must be those that the harness can cause.
///
/// # Panics
/// If they differ.
pub fn tell_what_is_not_run<H: AdapterHarness>(named: &'static [&'static str]) {
    crate::run::<H>(DECLARED, async move |harness: &mut H| {
        let faults = harness.faults();
        let kinds = faults.as_ref().map_or(&[][..], |faults| faults.kinds());
        let groups = kinds.iter().map(|kind| kind.group());
        let mut groups: Vec<_> = groups.map(str::to_owned).collect();
        groups.sort();
        let mut expected: Vec<_> = named.to_vec();
        expected.sort_unstable();
        assert_eq!(
            groups, expected,
            "G10: `adapter_suite!` names the faults that the harness makes"
        );
    });
    for case in not_run(named) {
        println!("not run: {} (its harness makes no such fault)", case.name);
    }
}

const DECLARED: Case = Case {
    name: "faults::are_declared",
    guarantees: &[10],
};

/// Every kind has a group of cases.
#[cfg(test)]
#[test]
fn every_kind_has_cases() {
    for kind in crate::WriteFault::ALL {
        let mut groups = FAULT_CASES.iter().map(Case::group);
        assert!(groups.any(|group| group == kind.group()), "{kind:?}");
    }
}
