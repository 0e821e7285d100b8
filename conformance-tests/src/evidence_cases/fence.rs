//! G14: a fence ends the commits to a store that moves.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ees_core::Checkpoint;
use ees_core::adapter::{Fence, StoredLogHead};

use super::scene::{Source, import, stored};
use crate::EvidenceHarness;
use crate::subject::{Ask, AskSet, Expect, Subject, unique};
use crate::support::{
    commit, commit_all, head, log, refused, refused_all, stream, together, within,
};

const FENCED: &str = "STORE_FENCED";

const ADDRESS: &str = "https://new.example:8443/päth?a='b'";

/// How many write while the fence is made.
const WRITERS: usize = 16;

/// The fence of a storage. One without is not held to these cases.
fn fence_of(harness: &dyn EvidenceHarness) -> Option<Arc<dyn Fence>> {
    let fence = harness.fence();
    if fence.is_none() {
        println!("not run: the storage has no fence");
    }
    fence
}

async fn raise(fence: &dyn Fence, moved_to: &str) {
    fence.fence(moved_to).await.expect("G14: to fence");
    assert_eq!(
        state(fence).await.as_deref(),
        Some(moved_to),
        "G14: where to"
    );
}

async fn lift(fence: &dyn Fence) {
    fence.lift_fence().await.expect("G14: to lift the fence");
    assert_eq!(state(fence).await, None, "G14: no fence");
}

async fn state(fence: &dyn Fence) -> Option<String> {
    fence.fence_state().await.expect("G14: to tell")
}

/// Asserts that no commit and no set is stored, whatever it expects and whatever key it has.
async fn assert_refused(subject: &dyn Subject, name: &str, last: u64) {
    let new = unique("fenced");
    let asks = [
        Ask::new(name, Expect::Changeset(last)),
        Ask::new(name, Expect::Event(last)).key("another key"),
        Ask::new(name, Expect::Changeset(0)),
        Ask::new(&new, Expect::Changeset(0)).key("key"),
    ];
    for ask in &asks {
        let failure = refused(subject, ask, FENCED).await;
        assert!(
            failure.message.contains(ADDRESS),
            "G14: the error tells the new address: {}",
            failure.message
        );
    }
    let set = AskSet::new([asks[0].clone(), asks[3].clone()]);
    refused_all(subject, &set, FENCED).await;
    let checked = AskSet::new([asks[3].clone()]).check(name, Expect::Changeset(last));
    refused_all(subject, &checked, FENCED).await;
    assert!(subject.head(&new).await.is_err(), "G14: nothing is stored");
}

/// Commits and sets fail, and store nothing; reads go on.
pub async fn a_fence_refuses_every_commit(harness: &mut dyn EvidenceHarness) {
    let Some(fence) = fence_of(harness) else {
        return;
    };
    assert_eq!(state(&*fence).await, None, "G14: a store has no fence");
    let (subject, name) = (harness.subject(), unique("fenced"));
    commit(&*subject, &Ask::new(&name, Expect::Changeset(0)).key("key")).await;
    harness.settle().await;
    let before = log(&*subject, 0, 100).await;
    raise(&*fence, ADDRESS).await;
    for _ in 0..2 {
        assert_refused(&*subject, &name, 1).await;
        assert_eq!(log(&*subject, 0, 100).await, before, "G14: reads go on");
        assert_eq!(stream(&*subject, &name).await.len(), 1, "G14: unchanged");
        assert_eq!(head(&*subject, &name).await.last_changeset, 1, "G14");
        raise(&*fence, "elsewhere").await;
        raise(&*fence, ADDRESS).await;
    }
}

/// Without its fence, a store goes on as if there had been none.
pub async fn a_fence_that_is_lifted_lets_commits_through(harness: &mut dyn EvidenceHarness) {
    let Some(fence) = fence_of(harness) else {
        return;
    };
    lift(&*fence).await;
    let (subject, name) = (harness.subject(), unique("fenced"));
    for last in 0..3 {
        let other = format!("{name}-{last}");
        commit(&*subject, &Ask::new(&name, Expect::Changeset(last))).await;
        raise(&*fence, ADDRESS).await;
        assert_refused(&*subject, &name, last + 1).await;
        lift(&*fence).await;
        let set = AskSet::new([Ask::new(&other, Expect::Changeset(0))]);
        commit_all(&*subject, &set.check(&name, Expect::Changeset(last + 1))).await;
    }
    harness.settle().await;
    let positions = log(&*subject, 0, 100).await;
    let positions: Vec<_> = positions.iter().map(|one| one.checkpoint).collect();
    let expected: Vec<_> = (0..6).map(Some).collect();
    assert_eq!(positions, expected, "G6: no position is left out");
}

/// A durable store keeps its fence.
pub async fn a_fence_survives_a_restart(harness: &mut dyn EvidenceHarness) {
    let Some(fence) = fence_of(harness) else {
        return;
    };
    let name = unique("fenced");
    commit(&*harness.subject(), &Ask::new(&name, Expect::Changeset(0))).await;
    raise(&*fence, ADDRESS).await;
    drop(fence);
    harness.restart().await;
    let Some(fence) = fence_of(harness) else {
        return;
    };
    if !harness.capabilities().durable {
        assert_eq!(state(&*fence).await, None, "G4: nothing is kept");
        return;
    }
    assert_eq!(state(&*fence).await.as_deref(), Some(ADDRESS), "G4: kept");
    assert_refused(&*harness.subject(), &name, 1).await;
    lift(&*fence).await;
    drop(fence);
    harness.restart().await;
    let subject = harness.subject();
    commit(&*subject, &Ask::new(&name, Expect::Changeset(1))).await;
}

/// Commits that run while the fence is made are stored before it and seen by every later read, or
/// refused.
pub async fn no_commit_is_stored_behind_a_fence(harness: &mut dyn EvidenceHarness) {
    let Some(fence) = fence_of(harness) else {
        return;
    };
    let subject = harness.subject();
    for round in 0..3 {
        let stored = Arc::new(AtomicUsize::new(0));
        let writers = (0..WRITERS).map(|writer| {
            let (subject, stored) = (Arc::clone(&subject), Arc::clone(&stored));
            let name = unique(&format!("raced-{writer}"));
            async move {
                let mut last = 0;
                loop {
                    match subject
                        .commit(&Ask::new(&name, Expect::Changeset(last)))
                        .await
                    {
                        Ok(_) => last += 1,
                        Err(failure) => {
                            let code = failure.code;
                            assert_eq!(code, FENCED, "G14: {}", failure.message);
                            return (name, last);
                        }
                    }
                    stored.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
        let writers: Vec<_> = writers.collect();
        let writing = tokio::spawn(together(writers));
        // Every writer is on its way.
        let begun = async {
            while stored.load(Ordering::SeqCst) < WRITERS {
                tokio::task::yield_now().await;
            }
        };
        within("G14: commits are stored before the fence", begun).await;
        raise(&*fence, ADDRESS).await;
        harness.settle().await;
        let behind = log(&*subject, 0, 1000).await;
        let writers = within("G14: the writers are refused", writing).await;
        harness.settle().await;
        let later = log(&*subject, 0, 1000).await;
        assert!(
            later == behind,
            "G14: {} changesets stand when the fence does, and {} later",
            behind.len(),
            later.len()
        );
        let found: HashSet<_> = behind
            .iter()
            .map(|one| (&one.stream, one.changeset_id))
            .collect();
        for (name, last) in writers.expect("G14: the writers end") {
            let told = (1..=last).all(|id| found.contains(&(&name, id)));
            assert!(told, "G14: what was acknowledged is stored");
            assert!(
                !found.contains(&(&name, last + 1)),
                "G14: a refused one is not"
            );
        }
        if round < 2 {
            lift(&*fence).await;
        }
    }
}

/// What follows the order goes on, so that a copy can be completed: checkpoints, statistics, the log,
/// and imports.
pub async fn a_fence_holds_back_no_other_write(harness: &mut dyn EvidenceHarness) {
    let Some(fence) = fence_of(harness) else {
        return;
    };
    raise(&*fence, ADDRESS).await;
    let (storage, log) = (harness.storage(), harness.log());
    let saved = storage.save_checkpoint("s", Checkpoint::FIRST).await;
    saved.expect("G14: a checkpoint is saved");
    let mut counts = storage.load_statistics().await.expect("G14: to load");
    let version = counts.version;
    counts.total_events = 7;
    counts.version = version.plus(1);
    let swapped = storage.swap_statistics(version, &counts).await;
    assert_eq!(swapped.ok(), Some(true), "G14: statistics are saved");
    let next = StoredLogHead {
        revision: 1,
        document: "{}".to_owned(),
    };
    let sealed = log.seal(None, &next, &[]).await;
    assert_eq!(sealed.ok(), Some(true), "G14: the log is sealed");
    let mut source = Source::default();
    source.fill("imported", 2);
    import(harness, &source, 10).await;
    assert_eq!(
        stored(harness, 10).await,
        source.changesets,
        "G14: imported"
    );
    assert_refused(&*harness.subject(), "imported", 2).await;
}
