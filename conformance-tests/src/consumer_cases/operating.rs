//! Definitions, and what operators do.

use std::time::Duration;

use ees_core::consumer::{ConsumerDefinition, ConsumerError, StartAt};
use ees_core::{Checkpoint, Error};

use super::scene::{Scene, assert_fenced, assert_invalid, ids, listed};
use crate::ConsumerHarness;

/// A definition may be repeated, and not changed.
pub async fn a_definition_is_the_same_or_refused(harness: &mut dyn ConsumerHarness) {
    let at_head = ConsumerDefinition {
        from: StartAt::HEAD,
        ..ConsumerDefinition::default()
    };
    let scene = Scene::new(harness, &at_head).await;
    scene.commit(harness, &["a"]).await;
    let again = scene.consumers.define(&scene.name, &at_head).await;
    assert!(!again.expect("G16: to define"), "G16: it stands");
    let other = ConsumerDefinition::default();
    let refused = scene.consumers.define(&scene.name, &other).await;
    let exists = ConsumerError::Exists(scene.name.clone());
    assert!(
        matches!(refused, Err(Error::Consumer(found)) if found == exists),
        "G16"
    );
    let drained = scene.drain(10).await;
    assert_eq!(drained, listed(&[("a", 1)]), "G16: from the head as it was");
    let beyond = ConsumerDefinition {
        from: StartAt::Checkpoint(Checkpoint::FIRST.plus(1000)),
        ..ConsumerDefinition::default()
    };
    let name = "beyond".parse().expect("a name");
    let refused = scene.consumers.define(&name, &beyond).await;
    let refused = matches!(refused, Err(Error::CheckpointBeyondHead { .. }));
    assert!(refused, "G16: beyond the head");
    let names = scene.consumers.names().await.expect("G16: names");
    assert_eq!(names, ["billing"], "G16: one consumer");
}

/// What an operator skips is not delivered; what the partition has not reached cannot be skipped.
pub async fn a_skipped_changeset_is_not_delivered(harness: &mut dyn ConsumerHarness) {
    let scene = Scene::new(harness, &ConsumerDefinition::default()).await;
    scene.commit(harness, &["a", "a", "a", "b"]).await;
    let (a, b) = (
        "a".parse().expect("a stream"),
        "b".parse().expect("a stream"),
    );
    let id = |id: u64| id.try_into().expect("a changeset id");
    let consumers = &scene.consumers;
    let unknown = consumers.skip(&scene.name, &a, id(1)).await;
    assert!(
        matches!(unknown, Err(Error::Consumer(ConsumerError::NotParked(_)))),
        "G16: not parked"
    );
    scene.ack(&scene.claimed(2).await, &[("a", 2)]).await;
    for through in [1, 3, 9] {
        assert_invalid(&consumers.skip(&scene.name, &a, id(through)).await);
    }
    let out = scene.claimed(10).await;
    assert_eq!(ids(&out), listed(&[("b", 1)]), "G16: `a` is passed by");
    let skipped = consumers.skip(&scene.name, &a, id(2)).await;
    assert_eq!(skipped.expect("G16: to skip").from_changeset, id(2), "G16");
    assert_fenced(&scene.try_ack(&out, out.next, &[], None).await);
    let mut delivered = scene.drain(10).await;
    delivered.sort();
    assert_eq!(
        delivered,
        listed(&[("a", 3), ("b", 1)]),
        "G16: not 2 of `a`"
    );
    assert!(
        consumers.retry(&scene.name, &b).await.is_err(),
        "G16: not parked"
    );
}

/// A reset ends the batch that is out. What follows the new checkpoint is delivered again, and what
/// was parked before it stays parked.
pub async fn a_reset_ends_the_batch_and_delivers_again(harness: &mut dyn ConsumerHarness) {
    let scene = Scene::new(harness, &ConsumerDefinition::default()).await;
    scene.commit(harness, &["a", "b", "c", "d", "a"]).await;
    scene
        .ack(&scene.claimed(3).await, &[("a", 1), ("c", 1)])
        .await;
    let out = scene.claimed(10).await;
    let consumers = &scene.consumers;
    let at = |position| Checkpoint::FIRST.plus(position);
    let beyond = consumers.reset(&scene.name, at(6)).await;
    let beyond = matches!(beyond, Err(Error::CheckpointBeyondHead { .. }));
    assert!(beyond, "G16: beyond the head");
    let reset = consumers.reset(&scene.name, at(1)).await;
    reset.expect("G16: to reset");
    assert_fenced(&scene.try_ack(&out, out.next, &[], None).await);
    let parked = consumers.parked(&scene.name, None, 10).await;
    let parked = parked.expect("G16: the parked streams").items;
    assert_eq!(parked.len(), 1, "G16: `a` stays, `c` is dropped");
    let delivered = scene.drain(10).await;
    assert_eq!(
        delivered,
        listed(&[("b", 1), ("c", 1), ("d", 1)]),
        "G16: again"
    );
    scene.later(2);
    assert_eq!(
        scene.drain(10).await,
        listed(&[("a", 1), ("a", 2)]),
        "G16: `a`"
    );
}

/// A consumer that is removed ends its batches, and nothing of it comes back.
pub async fn a_consumer_that_is_removed_ends_its_batches(harness: &mut dyn ConsumerHarness) {
    let definition = ConsumerDefinition::default();
    let scene = Scene::new(harness, &definition).await;
    scene.commit(harness, &["a", "b"]).await;
    scene.ack(&scene.claimed(1).await, &[("a", 1)]).await;
    let out = scene.claimed(1).await;
    let consumers = &scene.consumers;
    consumers.remove(&scene.name).await.expect("G16: to remove");
    let gone = scene.try_ack(&out, out.next, &[], None).await;
    assert!(
        matches!(gone, Err(Error::Consumer(ConsumerError::NotFound(_)))),
        "G16: not found"
    );
    let new = consumers.define(&scene.name, &definition).await;
    assert!(new.expect("G16: to define"), "G16: new");
    assert_fenced(&scene.try_ack(&out, out.next, &[], None).await);
    let delivered = scene.drain(10).await;
    assert_eq!(delivered, listed(&[("a", 1), ("b", 1)]), "G16: anew");
    assert_fenced(&scene.try_ack(&out, out.next, &[], None).await);
}

/// A report tells the lag, who has a batch, and what is parked.
pub async fn a_report_says_how_far_it_has_come(harness: &mut dyn ConsumerHarness) {
    let scene = Scene::new(harness, &ConsumerDefinition::default()).await;
    let report = || async { scene.consumers.report(&scene.name).await.expect("a report") };
    let empty = report().await;
    assert_eq!(
        (empty.lag_changesets, empty.lag),
        (0, Duration::ZERO),
        "G16"
    );
    scene.commit(harness, &["a", "b", "c"]).await;
    scene.later(100);
    let behind = report().await;
    assert_eq!(behind.lag_changesets, 3, "G16: all of them");
    assert!(behind.lag >= Duration::from_secs(100), "G16: in time");
    scene.ack(&scene.claimed(1).await, &[("a", 1)]).await;
    let out = scene.claimed(1).await;
    scene.later(10);
    let report = report().await;
    let [partition] = &report.partitions[..] else {
        panic!("G16: one partition");
    };
    assert_eq!(partition.checkpoint, Checkpoint::FIRST.plus(1), "G16");
    assert_eq!(partition.generation, out.generation, "G16: the generation");
    assert_eq!(partition.parked, 1, "G16: one stream");
    let batch = partition.batch.as_ref().expect("G16: a batch is out");
    assert_eq!(batch.worker, "w", "G16: who has it");
    assert!(batch.out >= Duration::from_secs(10), "G16: since when");
    assert!(
        batch.lease_left <= Duration::from_secs(20),
        "G16: until when"
    );
    assert!(report.has_passed(Checkpoint::FIRST), "G16: passed");
    assert!(
        !report.has_passed(Checkpoint::FIRST.plus(1)),
        "G16: not passed"
    );
    for (position, parked) in [(0, 1), (2, 1)] {
        let position = Checkpoint::FIRST.plus(position);
        let found = scene.consumers.parked_before(&scene.name, position).await;
        assert_eq!(found.expect("G16: to count"), parked, "G16: parked before");
    }
}
