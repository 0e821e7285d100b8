//! The guide for services: what its commands show is what one gets.

use crate::readme::{read, steps, take};

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_for_services_shows_what_one_gets() {
    take(steps(&read("docs/services.md")), String::new()).await;
}
