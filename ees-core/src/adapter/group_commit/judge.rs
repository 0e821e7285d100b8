//! The judge of a batch.

use std::collections::HashMap;

use crate::commit::{ClientKey, Commit};
use crate::concurrency::{Refusal, Verdict};
use crate::ports::Outcome;
use crate::{Changeset, ChangesetId, Checkpoint, Head, StreamId};

/// The state that a batch is judged on. It is read inside the batch's transaction, so no other
/// writer can have changed it since.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The heads of the batch's streams. A stream without changesets has no entry.
    pub heads: HashMap<StreamId, Head>,
    /// The changesets that have the batch's client keys; of several with one key the first. A key
    /// that does not stand in its stream has no entry.
    pub keys: HashMap<ClientKey, ChangesetId>,
    /// The checkpoint of the next changeset.
    pub next_checkpoint: Checkpoint,
}

/// The changesets to write for a batch, and the answers to give once they are durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The changesets to write, by checkpoint.
    pub changesets: Vec<Changeset>,
    /// One answer per commit, in the order of the batch.
    pub outcomes: Vec<Outcome>,
}

/// Judges a batch as if its commits came one after another. A pure function.
pub fn judge<'a>(snapshot: Snapshot, batch: impl IntoIterator<Item = &'a Commit>) -> Plan {
    let Snapshot {
        mut heads,
        mut keys,
        mut next_checkpoint,
    } = snapshot;
    let mut changesets = Vec::new();
    let mut judge_one = |commit: &Commit| {
        let key = commit.client_key();
        if let Some(stands) = key.as_ref().and_then(|key| keys.get(key)) {
            return Outcome::Refused(Refusal::KeyStands(*stands));
        }
        let head = heads.get(&commit.stream_id);
        match commit.expectation.judge(head, commit.events.count()) {
            Verdict::Refuse(refusal) => Outcome::Refused(refusal),
            Verdict::Append(slot) => {
                let changeset = commit.clone().into_changeset(slot, Some(next_checkpoint));
                let receipt = changeset.receipt();
                next_checkpoint = next_checkpoint.plus(1);
                heads.insert(commit.stream_id.clone(), changeset.head());
                keys.extend(key.map(|key| (key, changeset.changeset_id)));
                changesets.push(changeset);
                Outcome::Committed(receipt)
            }
        }
    };
    let outcomes = batch.into_iter().map(&mut judge_one).collect();
    Plan {
        changesets,
        outcomes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CommitId, Events, Expectation, Json, Timestamp};
    use proptest::prelude::*;

    /// A key of 0 stands for a generated one.
    fn commit(stream: u8, expectation: Expectation, events: usize, key: u8) -> Commit {
        Commit {
            stream_id: StreamId::new(&format!("s{stream}")).unwrap(),
            expectation,
            events: Events::of(&vec![1; events]).unwrap(),
            metadata: Json::default(),
            commit_id: match key {
                0 => CommitId::generate(),
                key => CommitId::new(&format!("k{key}")).unwrap(),
            },
            timestamp: Timestamp::from_micros(7).unwrap(),
        }
    }

    fn commits() -> impl Strategy<Value = Vec<Commit>> {
        let one = (0..3_u8, 0..4_u64, any::<bool>(), 1..3_usize, 0..4_u8).prop_map(
            |(stream, last, by_event, events, key)| {
                let expectation = if by_event {
                    Expectation::LastEvent(last)
                } else {
                    Expectation::LastChangeset(last)
                };
                commit(stream, expectation, events, key)
            },
        );
        prop::collection::vec(one, 0..12)
    }

    fn empty() -> Snapshot {
        Snapshot {
            heads: HashMap::new(),
            keys: HashMap::new(),
            next_checkpoint: Checkpoint::FIRST,
        }
    }

    /// The state that the next transaction reads after a plan was written.
    fn apply(mut snapshot: Snapshot, plan: &Plan) -> Snapshot {
        for changeset in &plan.changesets {
            let head = changeset.head();
            snapshot.heads.insert(changeset.stream_id.clone(), head);
            if changeset.commit_id.is_clients() {
                let key = ClientKey {
                    stream_id: changeset.stream_id.clone(),
                    commit_id: changeset.commit_id.clone(),
                };
                snapshot.keys.insert(key, changeset.changeset_id);
            }
            snapshot.next_checkpoint = changeset.checkpoint.unwrap().plus(1);
        }
        snapshot
    }

    proptest! {
        /// The result does not depend on how waiting commits are divided into batches.
        #[test]
        fn a_batch_is_as_its_commits_one_after_another(commits in commits(), cut in 0..12_usize) {
            let whole = judge(empty(), &commits);
            let (early, late) = commits.split_at(cut.min(commits.len()));
            let first = judge(empty(), early);
            let second = judge(apply(empty(), &first), late);
            let changesets = [first.changesets, second.changesets].concat();
            let outcomes = [first.outcomes, second.outcomes].concat();
            prop_assert_eq!(whole, Plan { changesets, outcomes });
        }

        /// A client's key stands at most once in a stream (G10).
        #[test]
        fn a_plan_has_no_key_twice(commits in commits()) {
            let plan = judge(empty(), &commits);
            let clients = plan.changesets.iter().filter(|c| c.commit_id.is_clients());
            let keys: Vec<_> = clients.map(|c| (&c.stream_id, &c.commit_id)).collect();
            let distinct: std::collections::HashSet<_> = keys.iter().collect();
            prop_assert_eq!(distinct.len(), keys.len());
        }

        /// Checkpoints, changeset ids and event ids are dense (G3, G6), in stream order (G7).
        #[test]
        fn a_plan_is_dense(commits in commits()) {
            let plan = judge(empty(), &commits);
            let mut heads: HashMap<&StreamId, Head> = HashMap::new();
            for (position, changeset) in (0_u64..).zip(&plan.changesets) {
                prop_assert_eq!(changeset.checkpoint.unwrap().get(), position);
                let head = heads.insert(&changeset.stream_id, changeset.head());
                let (changesets, events) = head.map_or((0, 0), |head| {
                    (head.last_changeset.get(), head.last_event.get())
                });
                prop_assert_eq!(changeset.changeset_id.get(), changesets + 1);
                prop_assert_eq!(changeset.first_event_id.get(), events + 1);
            }
            let committed = plan.outcomes.iter().filter(|o| matches!(o, Outcome::Committed(_)));
            prop_assert_eq!(committed.count(), plan.changesets.len());
        }
    }
}
