//! A server that is killed at each exact step of a worker's calls and of an operator's.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ees_core::consumer::{
    Ack, Claim, ConsumerDefinition, ConsumerError, ConsumerName, Consumers, Delivery, Failure,
    PartitionReport,
};
use ees_core::{Changeset, Checkpoint, Error};

use super::dying::{Dying, End};
use super::scene::{Scene, id, listed};
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

/// A call of an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Retry,
    Skip,
    Reset,
    Remove,
}

impl Call {
    async fn make(self, consumers: &Consumers, name: &ConsumerName) -> Result<(), Error> {
        let stream = POISONED.parse().expect("a stream id");
        match self {
            Self::Retry => consumers.retry(name, &stream).await.map(drop),
            Self::Skip => {
                let through = 1_u64.try_into().expect("an id");
                consumers.skip(name, &stream, through).await.map(drop)
            }
            Self::Reset => consumers.reset(name, Checkpoint::FIRST).await,
            Self::Remove => consumers.remove(name).await,
        }
    }

    /// What is delivered after the call.
    fn then(self) -> &'static [(&'static str, u64)] {
        match self {
            Self::Retry => &[("a", 1), ("a", 2)],
            Self::Skip => &[("a", 2)],
            Self::Reset => &[("a", 1), ("a", 2), ("b", 1), ("c", 1)],
            Self::Remove => &[],
        }
    }
}

/// An operator's call whose server was killed at any step has its effect once it is repeated.
pub async fn a_call_that_was_cut_may_be_repeated(harness: &mut dyn ConsumerHarness) {
    let two = ConsumerDefinition {
        partitions: 2,
        retry_seconds: vec![],
        ..ConsumerDefinition::default()
    };
    let scene = Scene::new(harness, &two).await;
    scene.commit(harness, &STREAMS).await;
    for call in [Call::Retry, Call::Skip, Call::Reset, Call::Remove] {
        let mut ends = vec![End::Never];
        let mut number = 0;
        while let Some(end) = ends.get(number).copied() {
            let name = format!("{call:?}-{number}").parse().expect("a name");
            let scene = scene.named(&name);
            scene
                .consumers
                .define(&name, &two)
                .await
                .expect("to define");
            while let Some(batch) = scene.claim(10).await {
                let has = |changeset: &Changeset| changeset.stream_id.as_str() == POISONED;
                let fails = batch.changesets.iter().any(has);
                scene
                    .ack(&batch, if fails { &[(POISONED, 1)] } else { &[] })
                    .await;
            }
            let dying = Dying::new(harness.consumers(), end);
            let cut = call.make(&scene.consumers_over(dying.clone()), &name).await;
            if end == End::Never {
                cut.expect("G16: the call");
                ends.extend(dying.ends());
            } else {
                assert!(matches!(cut, Err(Error::Storage(_))), "G16: {cut:?}");
                repeat(&scene, call).await;
            }
            let what = format!("G16: {call:?}, {end:?}");
            if call == Call::Remove {
                let names = scene.consumers.names().await.expect("G16: names");
                assert!(!names.contains(&name.to_string()), "{what}");
                let new = scene.consumers.define(&name, &two).await;
                assert!(new.expect("to define"), "{what}: a new one");
                let report = scene.consumers.report(&name).await.expect("a report");
                let is_new = |one: &PartitionReport| one.generation == 0 && one.parked == 0;
                assert!(
                    report.partitions.iter().all(is_new),
                    "{what}: nothing is left"
                );
            } else {
                let mut found = scene.drain(10).await;
                found.sort();
                assert_eq!(found, listed(call.then()), "{what}");
            }
            number += 1;
        }
    }
}

/// Makes a call again. If it had its effect, there is nothing left to do.
async fn repeat(scene: &Scene, call: Call) {
    let again = call.make(&scene.consumers, &scene.name).await;
    let is_done = match &again {
        Ok(()) => true,
        // The stream is tried from the next changeset on.
        Err(Error::Consumer(ConsumerError::Invalid(_))) => call == Call::Skip,
        Err(Error::Consumer(ConsumerError::NotFound(_))) => call == Call::Remove,
        Err(_) => false,
    };
    assert!(is_done, "G16: {call:?} again: {again:?}");
}
