//! G8, G10: A write that is delayed.

use std::time::Duration;

use super::aftermath;
use super::scene::{Scene, Told};
use crate::support::within;
use crate::{AdapterHarness, WriteFault};

/// How long a commit is held back. Nothing depends on it: a commit that was not held back passes.
const HELD: Duration = Duration::from_millis(200);

/// A delayed commit is answered as soon as the delay ends, and it is stored.
pub async fn a_late_commit_is_answered_in_the_end(harness: &mut dyn AdapterHarness) {
    let scene = Scene::set(harness).await;
    scene.begin(WriteFault::Late).await;
    let asking = async {
        let told = scene.ask("late").await;
        assert!(
            !matches!(told, Told::Nothing),
            "G8: a delayed commit is answered after the fault, but nothing was written"
        );
        told
    };
    let ending = async {
        tokio::time::sleep(HELD).await;
        scene.end().await;
    };
    let (told, ()) = tokio::join!(asking, ending);
    scene.assert_true(harness, &told).await;
}

/// If a caller gives up and repeats with the same key, one commit is stored.
pub async fn a_caller_who_goes_away_may_ask_again(harness: &mut dyn AdapterHarness) {
    let scene = Scene::set(harness).await;
    scene.begin(WriteFault::Late).await;
    let given_up = tokio::time::timeout(HELD, scene.ask("gone")).await;
    scene.end().await;
    if let Ok(told) = given_up {
        scene.assert_true(harness, &told).await;
    }
    let again = within("G10: a repeat is answered", Box::pin(scene.ask("gone"))).await;
    scene.assert_stands_once(harness, &again).await;
}

/// The changesets that a reader or a conflict returned meanwhile last.
pub async fn nothing_is_read_that_does_not_last(harness: &mut dyn AdapterHarness) {
    aftermath::shows_what_lasts(harness, WriteFault::Late).await;
}
