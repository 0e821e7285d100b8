//! A server that is killed at each exact step of an operator's call.

use ees_core::consumer::{
    ConsumerDefinition, ConsumerError, ConsumerName, Consumers, PartitionReport,
};
use ees_core::{Changeset, Checkpoint, Error};

use super::dying::{Dying, End};
use super::scene::{Scene, listed};
use crate::ConsumerHarness;

/// The stream that is parked.
const POISONED: &str = "a";

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
    scene.commit(harness, &[POISONED, "b", POISONED, "c"]).await;
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
