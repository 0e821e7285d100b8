//! G10, G2: A COMMIT that is stored, and whose answer is lost, as when the database goes away.

use super::{aftermath, aftermath_of_sets};
use crate::{AdapterHarness, WriteFault};

const FAULT: WriteFault = WriteFault::AfterTheWrite;

/// A commit that is reported as stored is found. One reported as not written is not found.
pub async fn what_is_told_of_a_failed_commit_is_true(harness: &mut dyn AdapterHarness) {
    aftermath::is_as_told(harness, FAULT).await;
}

/// A repeat with the same key is stored once, and is answered with its changeset.
pub async fn a_repeat_is_answered_as_one_commit(harness: &mut dyn AdapterHarness) {
    aftermath::can_be_repeated(harness, FAULT).await;
}

/// Another commit succeeds if nothing was written. Otherwise it conflicts, and the conflict lists
/// the stored changeset.
pub async fn another_commit_may_take_the_place(harness: &mut dyn AdapterHarness) {
    aftermath::leaves_its_place(harness, FAULT).await;
}

/// The changesets that a reader or a conflict returned meanwhile last.
pub async fn nothing_is_read_that_does_not_last(harness: &mut dyn AdapterHarness) {
    aftermath::shows_what_lasts(harness, FAULT).await;
}

/// Failed commits of many writers leave no hole, in no stream nor in the global order.
pub async fn the_order_goes_on_without_a_hole(harness: &mut dyn AdapterHarness) {
    aftermath::leaves_no_hole(harness, FAULT).await;
}

/// After a restart a commit that was reported as stored is there, and it can be repeated.
pub async fn a_restart_finds_what_was_told(harness: &mut dyn AdapterHarness) {
    aftermath::survives_a_restart(harness, FAULT).await;
}

/// A set of commits is stored whole or not at all, as it was told, and a repeat is stored once.
pub async fn a_failed_set_is_stored_whole_or_not_at_all(harness: &mut dyn AdapterHarness) {
    aftermath_of_sets::are_stored_whole(harness, FAULT).await;
}
