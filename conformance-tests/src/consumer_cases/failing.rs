//! Changesets that cannot be handled.

use ees_core::consumer::{ConsumerDefinition, OnFailure};

use super::scene::{Scene, ids, listed};
use crate::ConsumerHarness;

/// Two tries, the second after 10 seconds.
fn definition() -> ConsumerDefinition {
    ConsumerDefinition {
        retry_seconds: vec![10],
        ..ConsumerDefinition::default()
    }
}

async fn parked(scene: &Scene) -> Vec<(String, u64, u32, bool)> {
    let parked = scene.consumers.parked(&scene.name, None, 1000).await;
    let parked = parked.expect("G16: the parked streams").items.into_iter();
    parked
        .map(|p| {
            let id = p.from_changeset.get();
            (p.stream_id.to_string(), id, p.attempts, p.stopped)
        })
        .collect()
}

/// A failure parks its stream, and delays no other.
pub async fn a_failure_parks_its_stream_alone(harness: &mut dyn ConsumerHarness) {
    let scene = Scene::new(harness, &definition()).await;
    scene.commit(harness, &["a", "b", "a", "b", "a"]).await;
    let batch = scene.claimed(10).await;
    scene.ack(&batch, &[("a", 2)]).await;
    assert_eq!(parked(&scene).await, [("a".to_owned(), 2, 1, false)], "G16");
    scene.commit(harness, &["b", "a"]).await;
    assert_eq!(
        scene.drain(10).await,
        listed(&[("b", 3)]),
        "G16: `b` goes on"
    );
    scene.later(11);
    let retry = scene.claimed(10).await;
    assert!(retry.is_retry, "G16: a retry");
    let rest = listed(&[("a", 2), ("a", 3), ("a", 4)]);
    assert_eq!(ids(&retry), rest, "G16: from the stream itself");
    scene.ack(&retry, &[]).await;
    assert_eq!(parked(&scene).await, [], "G16: live again");
    scene.commit(harness, &["a"]).await;
    assert_eq!(scene.drain(10).await, listed(&[("a", 5)]), "G16: live");
}

/// A stream that is handled again follows in its order, batch by batch, beside the others.
pub async fn a_parked_stream_catches_up_in_order(harness: &mut dyn ConsumerHarness) {
    let scene = Scene::new(harness, &definition()).await;
    scene.commit(harness, &["a", "b"]).await;
    scene.ack(&scene.claimed(10).await, &[("a", 1)]).await;
    scene
        .commit(harness, &["a", "b", "a", "b", "a", "b", "a", "a"])
        .await;
    scene.later(11);
    let delivered = scene.drain(2).await;
    let of = |name: &str| -> Vec<u64> {
        let of = delivered.iter().filter(|(stream, _)| stream == name);
        of.map(|(_, id)| *id).collect()
    };
    assert_eq!(of("a"), [1, 2, 3, 4, 5, 6], "G16: in its order, once");
    assert_eq!(of("b"), [2, 3, 4], "G16: not delayed");
    assert_eq!(parked(&scene).await, [], "G16: caught up");
}

/// After its last try a stream waits for an operator.
pub async fn a_stream_waits_for_an_operator_after_its_last_try(harness: &mut dyn ConsumerHarness) {
    let scene = Scene::new(harness, &definition()).await;
    scene.commit(harness, &["a", "a"]).await;
    scene.ack(&scene.claimed(10).await, &[("a", 1)]).await;
    scene.later(11);
    scene.ack(&scene.claimed(10).await, &[("a", 1)]).await;
    assert_eq!(parked(&scene).await, [("a".to_owned(), 1, 2, false)], "G16");
    scene.later(100_000);
    assert!(scene.claim(10).await.is_none(), "G16: it waits");
    let stream = "a".parse().expect("a stream id");
    let retried = scene.consumers.retry(&scene.name, &stream).await;
    assert_eq!(
        retried.expect("G16: to retry").attempts,
        2,
        "G16: its entry"
    );
    // What fails now is another changeset: its tries are counted anew.
    scene.ack(&scene.claimed(10).await, &[("a", 2)]).await;
    assert_eq!(parked(&scene).await, [("a".to_owned(), 2, 1, false)], "G16");
    scene.later(11);
    assert_eq!(scene.drain(10).await, listed(&[("a", 2)]), "G16: at last");
}

/// A consumer that is to stop holds its partition at the failure, and tries it for ever.
pub async fn a_consumer_that_stops_holds_its_partition(harness: &mut dyn ConsumerHarness) {
    let definition = ConsumerDefinition {
        on_failure: OnFailure::Stop,
        ..definition()
    };
    let scene = Scene::new(harness, &definition).await;
    scene.commit(harness, &["a", "b", "c"]).await;
    scene.ack(&scene.claimed(10).await, &[("b", 1)]).await;
    for attempts in 1..4 {
        let entry = ("b".to_owned(), 1, attempts, true);
        assert_eq!(parked(&scene).await, [entry], "G16: stopped");
        assert!(scene.claim(10).await.is_none(), "G16: it pauses");
        scene.later(11);
        let batch = scene.claimed(10).await;
        let rest = listed(&[("b", 1), ("c", 1)]);
        assert_eq!(ids(&batch), rest, "G16: from the failure on");
        scene.ack(&batch, &[("b", 1)]).await;
    }
    let stream = "b".parse().expect("a stream id");
    let one = 1_u64.try_into().expect("a changeset id");
    let skipped = scene.consumers.skip(&scene.name, &stream, one).await;
    assert!(skipped.expect("G16: to skip").stopped, "G16: its entry");
    assert_eq!(
        scene.drain(10).await,
        listed(&[("c", 1)]),
        "G16: it goes on"
    );
}

/// More failures than one change holds are all parked, each once.
pub async fn many_failures_at_once_are_all_kept(harness: &mut dyn ConsumerHarness) {
    let scene = Scene::new(harness, &definition()).await;
    let streams: Vec<String> = (0..70).map(|n| format!("s-{n:02}")).collect();
    let names: Vec<&str> = streams.iter().map(String::as_str).collect();
    scene.commit(harness, &names).await;
    while let Some(batch) = scene.claim(100).await {
        let all: Vec<_> = ids(&batch);
        let failed: Vec<_> = all
            .iter()
            .map(|(stream, id)| (stream.as_str(), *id))
            .collect();
        scene.ack(&batch, &failed).await;
    }
    let parked = parked(&scene).await;
    let found: Vec<&str> = parked.iter().map(|(stream, ..)| stream.as_str()).collect();
    assert_eq!(found, names, "G16: all of them");
    let first = scene.consumers.parked(&scene.name, None, 69).await;
    let first = first.expect("G16: a page");
    assert!(first.more, "G16: one remains");
    let last = first.items.last().map(|parked| &parked.stream_id);
    let rest = scene.consumers.parked(&scene.name, last, 69).await;
    assert_eq!(rest.expect("G16: a page").items.len(), 1, "G16: the last");
    scene.later(11);
    let mut delivered = scene.drain(10).await;
    delivered.sort();
    let expected: Vec<_> = names.iter().map(|name| (*name, 1)).collect();
    assert_eq!(delivered, listed(&expected), "G16: each again");
}
