//! A server that is killed at each exact step of a worker's calls.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ees_core::Error;
use ees_core::consumer::{
    Ack, Claim, ConsumerDefinition, ConsumerError, ConsumerName, Consumers, Delivery, Failure,
};

use super::dying::{Dying, End};
use super::scene::{Scene, id};
use crate::ConsumerHarness;

/// What the worker does when its server is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Worker {
    /// It sends its call again.
    Repeats,
    /// It is killed too. Another one claims when the lease has ended.
    DiesToo,
}

/// A worker, its server, and what the worker has handled.
struct Run<'a> {
    scene: &'a Scene,
    name: ConsumerName,
    dying: Arc<Dying>,
    worker: Worker,
    consumers: Consumers,
    /// The last changeset of each stream that was handled.
    handled: BTreeMap<String, u64>,
    has_failed: bool,
}

/// The stream whose first changeset cannot be handled at first.
const POISONED: &str = "a";

/// One changeset each.
const STREAMS: [&str; 4] = ["a", "b", "a", "c"];

/// Longer than a lease, and than the pause before a retry.
const LONGER: i64 = 60;

fn definition() -> ConsumerDefinition {
    ConsumerDefinition {
        retry_seconds: vec![20, 20],
        ..ConsumerDefinition::default()
    }
}

impl<'a> Run<'a> {
    fn new(
        scene: &'a Scene,
        harness: &dyn ConsumerHarness,
        number: usize,
        end: End,
        worker: Worker,
    ) -> Self {
        let dying = Dying::new(harness.consumers(), end);
        Self {
            scene,
            name: format!("run-{number}").parse().expect("a name"),
            consumers: scene.consumers_over(dying.clone()),
            dying,
            worker,
            handled: BTreeMap::new(),
            has_failed: false,
        }
    }

    /// What a call answers; `None` if the server was killed. It is then started again.
    fn answered<T>(&mut self, answer: Result<T, Error>) -> Option<Result<T, ConsumerError>> {
        match answer {
            Ok(answer) => Some(Ok(answer)),
            Err(Error::Consumer(error)) => Some(Err(error)),
            Err(error) => {
                assert!(self.dying.has_ended(), "G16: {error}");
                self.consumers = self.scene.consumers.clone();
                None
            }
        }
    }

    async fn define(&mut self) {
        let defined = self.consumers.define(&self.name, &definition()).await;
        if self.answered(defined).is_none() {
            let again = self.consumers.define(&self.name, &definition()).await;
            again.expect("G16: the same definition again");
        }
    }

    async fn claim(&mut self) -> Option<Option<Delivery>> {
        let claim = Claim::new("w").limit(2);
        let claimed = self.consumers.claim(&self.name, claim, Duration::ZERO);
        let claimed = claimed.await;
        let answered = self.answered(claimed)?;
        Some(answered.expect("G16: to claim"))
    }

    /// Claims until nothing is left, also after the leases and the pauses.
    async fn work(&mut self) {
        let mut found_nothing = 0;
        while found_nothing < 2 {
            match self.claim().await {
                None => self.scene.later(LONGER),
                Some(None) => {
                    found_nothing += 1;
                    self.scene.later(LONGER);
                }
                Some(Some(batch)) => {
                    found_nothing = 0;
                    self.handle_on(batch).await;
                }
            }
        }
    }

    /// Handles a batch, and those that the acknowledgements answer.
    async fn handle_on(&mut self, batch: Delivery) {
        let mut next = Some(batch);
        while let Some(batch) = next {
            let ack = Ack {
                generation: batch.generation,
                checkpoint: batch.next,
                failed: self.handle(&batch),
            };
            next = self.acknowledge(&batch, &ack).await;
        }
    }

    async fn acknowledge(&mut self, batch: &Delivery, ack: &Ack) -> Option<Delivery> {
        let (name, partition) = (self.name.clone(), batch.partition);
        loop {
            let acked = self.consumers.acknowledge(&name, partition, ack, Some(2));
            let acked = acked.await;
            return match self.answered(acked) {
                None if self.worker == Worker::Repeats => continue,
                // Overtaken, or the worker is killed.
                None | Some(Err(ConsumerError::Fenced { .. })) => None,
                Some(acked) => acked.expect("G16: to acknowledge").delivery,
            };
        }
    }

    /// Handles the changesets in their order. Returns what failed.
    fn handle(&mut self, batch: &Delivery) -> Vec<Failure> {
        let mut failed: Vec<Failure> = Vec::new();
        for changeset in &batch.changesets {
            if failed.iter().any(|f| f.stream_id == changeset.stream_id) {
                continue;
            }
            let (stream, id) = id(changeset);
            if stream == POISONED && !self.has_failed {
                self.has_failed = true;
                failed.push(Failure {
                    stream_id: changeset.stream_id.clone(),
                    changeset_id: changeset.changeset_id,
                    error: "cannot".to_owned(),
                });
                continue;
            }
            let last = self.handled.entry(stream.clone()).or_default();
            assert!(id <= *last + 1, "G16: `{stream}`: {id} comes after {last}");
            *last = id.max(*last);
        }
        failed
    }
}

/// A server that is killed before any call of the storage, or after any write, and a worker that then
/// repeats its call or dies with it, skip nothing and keep each stream in its order.
pub async fn a_server_killed_at_any_step_skips_nothing(harness: &mut dyn ConsumerHarness) {
    let scene = Scene::new(harness, &definition()).await;
    scene.commit(harness, &STREAMS).await;
    let mut undisturbed = Run::new(&scene, harness, 0, End::Never, Worker::Repeats);
    undisturbed.define().await;
    undisturbed.work().await;
    let ends = undisturbed.dying.ends();
    let (repeats, dies) = ((Worker::Repeats, 0), (Worker::DiesToo, 1));
    let runs = ends.iter().flat_map(|end| [(*end, repeats), (*end, dies)]);
    // Before a call nothing has changed: one of the two workers is enough, in turn.
    let runs = runs.filter(|(end, (_, turn))| match end {
        End::Before(call) => call % 2 == *turn,
        _ => true,
    });
    for (number, (end, (worker, _))) in (1..).zip(runs) {
        let mut run = Run::new(&scene, harness, number, end, worker);
        run.define().await;
        run.work().await;
        let what = format!("G16: {worker:?}, {end:?} of {}", ends.len());
        assert!(run.dying.has_ended(), "{what}: it was killed");
        let expected = [("a", 2), ("b", 1), ("c", 1)];
        let expected = expected.map(|(stream, last)| (stream.to_owned(), last));
        assert_eq!(run.handled, expected.into(), "{what}: everything");
        let report = scene.consumers.report(&run.name).await;
        let report = report.expect("G16: a report");
        let parked: usize = report.partitions.iter().map(|one| one.parked).sum();
        assert_eq!(
            (report.lag_changesets, parked),
            (0, 0),
            "{what}: at the end"
        );
        assert!(report.partitions[0].batch.is_none(), "{what}: none is out");
    }
}
