//! G10, G2: A COMMIT that lasts, and whose answer is lost, as the database goes away with it.

use super::aftermath;
use crate::{AdapterHarness, WriteFault};

const FAULT: WriteFault = WriteFault::AfterTheWrite;

/// Who is told that a commit stands finds it; who is told that nothing was written, does not.
pub async fn what_is_told_of_a_failed_commit_is_true<H: AdapterHarness>(harness: &mut H) {
    aftermath::is_as_told(harness, FAULT).await;
}

/// Asked again with the same key, the commit stands once, and is answered with its place.
pub async fn a_repeat_is_answered_as_one_commit<H: AdapterHarness>(harness: &mut H) {
    aftermath::can_be_repeated(harness, FAULT).await;
}

/// If nothing was written, another commit succeeds there; if something was, it is told of it.
pub async fn another_commit_may_take_the_place<H: AdapterHarness>(harness: &mut H) {
    aftermath::leaves_its_place(harness, FAULT).await;
}

/// Whatever a reader or a conflict told meanwhile stands in the end.
pub async fn nothing_is_read_that_does_not_last<H: AdapterHarness>(harness: &mut H) {
    aftermath::shows_what_lasts(harness, FAULT).await;
}

/// Failed commits of many writers leave no hole, in no stream nor in the global order.
pub async fn the_order_goes_on_without_a_hole<H: AdapterHarness>(harness: &mut H) {
    aftermath::leaves_no_hole(harness, FAULT).await;
}

/// After a restart the commit stands if it was told to stand, and can be repeated.
pub async fn a_restart_finds_what_was_told<H: AdapterHarness>(harness: &mut H) {
    aftermath::survives_a_restart(harness, FAULT).await;
}
