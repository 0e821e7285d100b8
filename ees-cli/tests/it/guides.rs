//! The guides for services and for consumers: what their commands show is what one gets.

use crate::readme::{read, steps, take};

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_for_services_shows_what_one_gets() {
    take(steps(&read("docs/services.md")), String::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_for_sets_shows_what_one_gets() {
    take(steps(&read("docs/several-streams.md")), String::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_for_consumers_shows_what_one_gets() {
    let mut steps = steps(&read("docs/consumers.md"));
    // The first one defines functions of the shell.
    let before = steps.remove(0).commands;
    take(steps, before).await;
}
