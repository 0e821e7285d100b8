//! Batches: handing them out, acknowledging them, taking them over.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use ees_core::Checkpoint;
use ees_core::consumer::{Claim, ConsumerDefinition};
use futures_util::future::join_all;

use super::scene::{Scene, assert_fenced, assert_invalid, id, ids, listed};
use crate::ConsumerHarness;
use crate::support::within;

fn partitions(partitions: u16) -> ConsumerDefinition {
    ConsumerDefinition {
        partitions,
        ..ConsumerDefinition::default()
    }
}

/// Every changeset is delivered once if nothing goes wrong, and each stream in its order.
pub async fn everything_is_delivered_in_each_streams_order(harness: &mut dyn ConsumerHarness) {
    for count in [1, 4] {
        let scene = Scene::new(harness, &partitions(count)).await;
        let streams = ["a", "b", "c", "d", "e", "f"];
        let rounds: Vec<&str> = streams.iter().copied().cycle().take(30).collect();
        scene.commit(harness, &rounds).await;
        let mut delivered = scene.drain(4).await;
        let mut last: BTreeMap<String, u64> = BTreeMap::new();
        for (stream, id) in &delivered {
            let last = last.entry(stream.clone()).or_default();
            assert_eq!(*id, *last + 1, "G16: `{stream}` in its order");
            *last = *id;
        }
        delivered.sort();
        let mut expected: Vec<_> = streams
            .iter()
            .flat_map(|stream| (1..=5).map(move |id| ((*stream).to_owned(), id)))
            .collect();
        expected.sort();
        assert_eq!(delivered, expected, "G16: everything, once");
        harness.restart().await;
        if harness.capabilities().durable {
            let again = Scene::reopened(harness, &scene);
            assert_eq!(again.drain(4).await, [], "G16: nothing twice");
            again
                .consumers
                .remove(&again.name)
                .await
                .expect("to remove");
            return;
        }
    }
}

/// A worker that slept past its lease is told so, and changes nothing.
pub async fn a_worker_that_sleeps_is_fenced(harness: &mut dyn ConsumerHarness) {
    let scene = Scene::new(harness, &partitions(1)).await;
    scene.commit(harness, &["a", "b", "c"]).await;
    let first = scene.claimed(2).await;
    scene.later(29);
    assert!(scene.claim(2).await.is_none(), "G16: it has its lease");
    scene.later(2);
    let second = scene.claimed(2).await;
    assert_eq!(ids(&second), ids(&first), "G16: the same changesets");
    assert!(
        second.generation > first.generation,
        "G16: a new generation"
    );
    assert_fenced(&scene.try_ack(&first, first.next, &[], None).await);
    let late = scene.consumers.release(&scene.name, 0, first.generation);
    assert_fenced(&late.await);
    scene.ack(&second, &[]).await;
    assert_fenced(&scene.try_ack(&second, second.next, &[], None).await);
    assert_eq!(scene.drain(2).await, listed(&[("c", 1)]), "G16: the rest");
}

/// An acknowledgement whose answer was lost is sent again, and answered again.
pub async fn a_lost_answer_is_given_again(harness: &mut dyn ConsumerHarness) {
    let scene = Scene::new(harness, &partitions(1)).await;
    scene.commit(harness, &["a", "b", "a", "c"]).await;
    let first = scene.claimed(2).await;
    let next = scene
        .try_ack(&first, first.next, &[("a", 1)], Some(2))
        .await;
    let next = next
        .expect("G16: to acknowledge")
        .expect("G16: the next batch");
    assert_eq!(ids(&next), listed(&[("c", 1)]), "G16: `a` is passed by");
    for _ in 0..2 {
        let again = scene
            .try_ack(&first, first.next, &[("a", 1)], Some(2))
            .await;
        let again = again.expect("G16: a repeat").expect("G16: the batch again");
        assert_eq!(again, next, "G16: the same batch");
    }
    let without = scene.try_ack(&first, first.next, &[], None).await;
    assert_eq!(without.expect("G16: a repeat"), None, "G16: not asked for");
    scene.ack(&next, &[]).await;
    assert_fenced(&scene.try_ack(&first, first.next, &[], Some(2)).await);
}

/// A batch that is given back is handed out at once.
pub async fn a_released_batch_is_handed_out_again(harness: &mut dyn ConsumerHarness) {
    let scene = Scene::new(harness, &partitions(1)).await;
    scene.commit(harness, &["a", "b"]).await;
    let first = scene.claimed(10).await;
    let released = scene.consumers.release(&scene.name, 0, first.generation);
    released.await.expect("G16: to release");
    assert_fenced(&scene.try_ack(&first, first.next, &[], None).await);
    let second = scene.claimed(10).await;
    assert_eq!(ids(&second), ids(&first), "G16: the same changesets");
    // A part of it is handled.
    let part = scene
        .try_ack(&second, Checkpoint::FIRST.plus(1), &[], None)
        .await;
    part.expect("G16: to acknowledge");
    assert_eq!(scene.drain(10).await, listed(&[("b", 1)]), "G16: the rest");
}

/// What does not fit the batch is refused, and changes nothing.
pub async fn an_acknowledgement_must_fit_its_batch(harness: &mut dyn ConsumerHarness) {
    let scene = Scene::new(harness, &partitions(1)).await;
    scene.commit(harness, &["a", "b", "c"]).await;
    scene.ack(&scene.claimed(1).await, &[]).await;
    let batch = scene.claimed(1).await;
    let at = |position| Checkpoint::FIRST.plus(position);
    for (checkpoint, failed) in [
        (at(0), &[][..]),
        (at(3), &[]),
        (at(2), &[("c", 1)]),
        (at(2), &[("b", 2)]),
        (at(2), &[("nobody", 1)]),
        (at(1), &[("b", 1)]),
    ] {
        assert_invalid(&scene.try_ack(&batch, checkpoint, failed, None).await);
    }
    let mut other = batch.clone();
    other.partition = 1;
    assert_invalid(&scene.try_ack(&other, batch.next, &[], None).await);
    for generation in [0, batch.generation - 1, batch.generation + 1] {
        let mut other = batch.clone();
        other.generation = generation;
        assert_fenced(&scene.try_ack(&other, batch.next, &[], Some(1)).await);
    }
    scene.ack(&batch, &[]).await;
    assert_eq!(scene.drain(10).await, listed(&[("c", 1)]), "G16: unchanged");
}

/// A consumer whose filter matches nothing reaches the head, and stays there.
pub async fn a_filter_that_matches_nothing_reaches_the_head(harness: &mut dyn ConsumerHarness) {
    let definition = ConsumerDefinition {
        stream_prefixes: vec!["order-".to_owned()],
        event_types: vec!["paid".to_owned(), "sent".to_owned()],
        ..partitions(2)
    };
    let scene = Scene::new(harness, &definition).await;
    scene.commit(harness, &["a", "b", "order", "Order-1"]).await;
    assert_eq!(scene.drain(10).await, [], "G16: nothing for it");
    let report = scene.consumers.report(&scene.name).await.expect("a report");
    assert_eq!(report.lag_changesets, 0, "G16: at the head");
    scene.commit(harness, &["order-7", "a"]).await;
    assert_eq!(scene.drain(10).await, listed(&[("order-7", 1)]), "G16");
}

/// A claim that waits returns when something is committed for it.
pub async fn a_claim_that_waits_is_woken(harness: &mut dyn ConsumerHarness) {
    let scene = Scene::new(harness, &partitions(2)).await;
    let wait = Duration::from_mins(1);
    let claim = Claim::new("w");
    let waits = scene.consumers.claim(&scene.name, claim, wait);
    let commits = scene.commit(harness, &["a"]);
    let both = async { tokio::join!(waits, commits).0 };
    let claimed = within("G8: the claim ends", Box::pin(both)).await;
    let batch = claimed.expect("G16: to claim").expect("G16: a batch");
    assert_eq!(ids(&batch), listed(&[("a", 1)]), "G16: what was committed");
}

/// Workers that stop at any step, and come back late, neither skip a changeset nor break the order
/// of a stream.
pub async fn workers_that_stop_anywhere_skip_nothing(harness: &mut dyn ConsumerHarness) {
    let scene = Scene::new(harness, &partitions(8)).await;
    let streams: Vec<String> = (0..12).map(|n| format!("s-{n}")).collect();
    let names: Vec<&str> = streams
        .iter()
        .map(String::as_str)
        .cycle()
        .take(60)
        .collect();
    scene.commit(harness, &names).await;
    let handled: Mutex<BTreeMap<String, u64>> = Mutex::default();
    let work = |worker: u64| {
        let (scene, handled) = (&scene, &handled);
        async move {
            for step in 0..40 {
                let Some(batch) = scene.claim(3).await else {
                    tokio::task::yield_now().await;
                    scene.later(5);
                    continue;
                };
                let fate = (worker * 7 + step * 3) % 10;
                if fate == 0 {
                    // It dies before it handles anything, or sleeps for long.
                    continue;
                }
                for (stream, id) in batch.changesets.iter().map(id) {
                    let mut handled = handled.lock().expect("no panic");
                    let last = handled.entry(stream.clone()).or_default();
                    assert!(id <= *last + 1, "G16: `{stream}` {id} after {last}");
                    *last = id.max(*last);
                }
                if fate == 1 {
                    // It dies before it acknowledges.
                    continue;
                }
                tokio::task::yield_now().await;
                let acked = scene.try_ack(&batch, batch.next, &[], None).await;
                if acked.is_err() {
                    assert_fenced(&acked);
                }
            }
        }
    };
    within("G16: the workers", join_all((0..16).map(work))).await;
    scene.later(3600);
    for (stream, id) in scene.drain(10).await {
        let mut handled = handled.lock().expect("no panic");
        let last = handled.entry(stream).or_default();
        assert!(id <= *last + 1, "G16: in order");
        *last = id.max(*last);
    }
    let handled = handled.into_inner().expect("no panic");
    let expected = streams.iter().map(|stream| (stream.clone(), 5)).collect();
    assert_eq!(handled, expected, "G16: everything");
}
