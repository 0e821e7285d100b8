//! G6, G12: checkpoints beyond the head of the global order.

use std::fmt::Debug;
use std::time::Duration;

use crate::Harness;
use crate::subject::{Failure, GlobalRead, unique};
use crate::support::{LONG, end_of_log, fill, log_page};

/// At the head a page is empty, and its next checkpoint is the requested one. A checkpoint beyond the
/// head is refused, also by a reader that waits: no reader that follows this order has it.
pub async fn a_checkpoint_beyond_the_head_is_refused(harness: &mut dyn Harness) {
    let subject = harness.subject();
    fill(&*subject, &unique("beyond"), &[3, 1]).await;
    harness.settle().await;
    let head = end_of_log(&*subject).await;
    log_page(&*subject, GlobalRead::from(head)).await;
    let at_head = subject.global_events(&GlobalRead::from((head, 0))).await;
    at_head.expect("G6: the head is no error");
    let far = head + 1_000_000;
    for checkpoint in [far, far + 999, i64::MAX.cast_unsigned()] {
        for wait in [Duration::ZERO, LONG] {
            let read = GlobalRead::from(checkpoint).wait(wait);
            let refused = subject.global_changesets(&read).await;
            assert_beyond(refused.map(|page| page.next_checkpoint), checkpoint);
            for index in [0, 7] {
                let read = GlobalRead::from((checkpoint, index)).wait(wait);
                let refused = subject.global_events(&read).await;
                assert_beyond(refused.map(|page| page.next_checkpoint), checkpoint);
            }
        }
    }
}

fn assert_beyond<T: Debug>(answer: Result<T, Failure>, checkpoint: u64) {
    let failure = answer.expect_err("G6: a checkpoint beyond the head is refused");
    let (code, message) = (failure.code, failure.message);
    assert_eq!(code, "CHECKPOINT_BEYOND_HEAD", "G6: {message}");
    assert!(
        message.contains(&checkpoint.to_string()),
        "G12: `{message}` names {checkpoint}"
    );
}
