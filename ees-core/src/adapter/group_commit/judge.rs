//! The judge of a batch.

use std::collections::HashMap;

use crate::changeset::Slot;
use crate::commit::{ClientKey, Commit, Outcome};
use crate::concurrency::{Refusal, Verdict};
use crate::set::{CommitSet, SetOutcome, SetRefusal};
use crate::{Changeset, ChangesetId, Checkpoint, Head, Receipt, StreamId};

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
    /// One answer per set, in the order of the batch.
    pub outcomes: Vec<SetOutcome>,
}

/// Judges a batch as if its sets came one after another. A pure function. A commit alone is a set of
/// one.
pub fn judge<'a>(snapshot: Snapshot, batch: impl IntoIterator<Item = &'a CommitSet>) -> Plan {
    let mut judge = Judge::new(snapshot);
    let outcomes = batch.into_iter().map(|set| judge.judge(set)).collect();
    Plan {
        changesets: judge.changesets,
        outcomes,
    }
}

/// Judges sets one after another: each on what is stored and what is planned so far.
#[derive(Debug)]
pub struct Judge {
    snapshot: Snapshot,
    /// The changesets to write, by checkpoint.
    pub changesets: Vec<Changeset>,
}

impl Judge {
    /// A judge that has planned nothing yet.
    pub fn new(snapshot: Snapshot) -> Self {
        Self {
            snapshot,
            changesets: Vec::new(),
        }
    }

    /// Plans a set if nothing stands in the way of any of its commits and checks.
    pub fn judge(&mut self, set: &CommitSet) -> SetOutcome {
        if let ([alone], []) = (&set.commits[..], &set.checks[..]) {
            return self.judge_alone(alone).into();
        }
        let verdicts: Vec<Verdict> = set.commits.iter().map(|one| self.verdict(one)).collect();
        let checks = set.checks.iter().map(|check| {
            let head = self.snapshot.heads.get(&check.stream_id);
            check.expectation.check(head)
        });
        let refusal = SetRefusal {
            commits: verdicts.iter().map(Verdict::refusal).collect(),
            checks: checks.collect(),
        };
        if !refusal.is_empty() {
            return SetOutcome::Refused(refusal);
        }
        let slots = verdicts.into_iter().filter_map(Verdict::slot);
        let planned = set.commits.iter().zip(slots);
        SetOutcome::Committed(planned.map(|(one, slot)| self.plan(one, slot)).collect())
    }

    /// The same of a commit alone, which most are: without the lists of a set.
    fn judge_alone(&mut self, commit: &Commit) -> Outcome {
        match self.verdict(commit) {
            Verdict::Append(slot) => Outcome::Committed(self.plan(commit, slot)),
            Verdict::Refuse(refusal) => Outcome::Refused(refusal),
        }
    }

    /// Decides on a commit as if it were alone.
    fn verdict(&self, commit: &Commit) -> Verdict {
        let key = commit.client_key();
        if let Some(stands) = key.and_then(|key| self.snapshot.keys.get(&key)) {
            return Verdict::Refuse(Refusal::KeyStands(*stands));
        }
        let head = self.snapshot.heads.get(&commit.stream_id);
        commit.expectation.judge(head, commit.events.count())
    }

    /// Takes a commit into the plan.
    fn plan(&mut self, commit: &Commit, slot: Slot) -> Receipt {
        let Snapshot {
            heads,
            keys,
            next_checkpoint,
        } = &mut self.snapshot;
        let changeset = commit.clone().into_changeset(slot, Some(*next_checkpoint));
        let receipt = changeset.receipt();
        *next_checkpoint = next_checkpoint.plus(1);
        heads.insert(commit.stream_id.clone(), changeset.head());
        let key = commit.client_key();
        keys.extend(key.map(|key| (key, changeset.changeset_id)));
        self.changesets.push(changeset);
        receipt
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Check, CommitId, Events, Expectation, Json, Timestamp};
    use proptest::prelude::*;

    /// A key of 0 stands for a generated one.
    fn commit(stream: u8, expectation: Expectation, events: usize, key: u8) -> Commit {
        Commit {
            stream_id: StreamId::new(&format!("s{stream}")).unwrap(),
            expectation,
            events: Events::of(&vec![1; events]).unwrap(),
            metadata: Json::default(),
            set: None,
            commit_id: match key {
                0 => CommitId::generate(),
                key => CommitId::new(&format!("k{key}")).unwrap(),
            },
            timestamp: Timestamp::from_micros(7).unwrap(),
        }
    }

    fn expectation() -> impl Strategy<Value = Expectation> {
        (0..4_u64, any::<bool>()).prop_map(|(last, by_event)| {
            if by_event {
                Expectation::LastEvent(last)
            } else {
                Expectation::LastChangeset(last)
            }
        })
    }

    /// Commits, and sets of one to three commits with checks on streams that they leave out.
    fn batch() -> impl Strategy<Value = Vec<CommitSet>> {
        let member = (expectation(), 1..3_usize);
        let check = prop::option::of(expectation());
        let set = (
            prop::sample::subsequence((0..5_u8).collect::<Vec<_>>(), 1..=3),
            prop::collection::vec(member, 3),
            prop::collection::vec(check, 5),
            0..4_u8,
        );
        let set = set.prop_map(|(streams, members, checks, key)| CommitSet {
            checks: (0..5_u8)
                .zip(checks)
                .filter(|(stream, _)| !streams.contains(stream) && key % 2 == 0)
                .filter_map(|(stream, expectation)| {
                    Some(Check {
                        stream_id: StreamId::new(&format!("s{stream}")).unwrap(),
                        expectation: expectation?,
                    })
                })
                .collect(),
            commits: streams
                .into_iter()
                .zip(members)
                .map(|(stream, (expectation, events))| commit(stream, expectation, events, key))
                .collect(),
        });
        prop::collection::vec(set, 0..12)
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
            let key = ClientKey::of(&changeset.stream_id, &changeset.commit_id);
            snapshot
                .keys
                .extend(key.map(|key| (key, changeset.changeset_id)));
            snapshot.next_checkpoint = changeset.checkpoint.unwrap().plus(1);
        }
        snapshot
    }

    proptest! {
        /// The result does not depend on how waiting commits are divided into batches.
        #[test]
        fn a_batch_is_as_its_sets_one_after_another(batch in batch(), cut in 0..12_usize) {
            let whole = judge(empty(), &batch);
            let (early, late) = batch.split_at(cut.min(batch.len()));
            let first = judge(empty(), early);
            let second = judge(apply(empty(), &first), late);
            let changesets = [first.changesets, second.changesets].concat();
            let outcomes = [first.outcomes, second.outcomes].concat();
            prop_assert_eq!(whole, Plan { changesets, outcomes });
        }

        /// A set is written whole or not at all (G1), with adjacent checkpoints in the order of its
        /// commits (G6). It is written if and only if each of its commits would be written alone and
        /// each of its checks holds (G2), and a refusal names exactly those that stand in the way.
        #[test]
        fn a_set_is_written_if_all_its_members_can_be(batch in batch()) {
            let mut state = empty();
            for set in &batch {
                let alone = |one: &Commit| judge(state.clone(), &[CommitSet::of_one(one.clone())]);
                let refused = |outcome: &SetOutcome| matches!(outcome, SetOutcome::Refused(_));
                let bad = |one: &Commit| alone(one).outcomes.iter().any(refused);
                let expected: Vec<bool> = set.commits.iter().map(bad).collect();
                let unmet: Vec<bool> = set.checks.iter().map(|check| {
                    let (changesets, events) = state.heads.get(&check.stream_id)
                        .map_or((0, 0), |head| (head.last_changeset.get(), head.last_event.get()));
                    match check.expectation {
                        Expectation::LastChangeset(last) => last != changesets,
                        Expectation::LastEvent(last) => last != events,
                    }
                }).collect();
                let plan = judge(state.clone(), [set]);
                match &plan.outcomes[0] {
                    SetOutcome::Committed(receipts) => {
                        prop_assert!(!expected.contains(&true) && !unmet.contains(&true));
                        let written: Vec<_> = plan.changesets.iter().map(Changeset::receipt).collect();
                        prop_assert_eq!(&written, receipts);
                        for (at, (receipt, one)) in (0..).zip(receipts.iter().zip(&set.commits)) {
                            prop_assert_eq!(&receipt.stream_id, &one.stream_id);
                            prop_assert_eq!(receipt.checkpoint, Some(state.next_checkpoint.plus(at)));
                        }
                        prop_assert_eq!(receipts.len(), set.commits.len());
                    }
                    SetOutcome::Refused(refusal) => {
                        prop_assert!(plan.changesets.is_empty());
                        let named = |refusals: &[Option<Refusal>]| -> Vec<bool> {
                            refusals.iter().map(Option::is_some).collect()
                        };
                        prop_assert_eq!(named(&refusal.commits), expected);
                        prop_assert_eq!(named(&refusal.checks), unmet);
                    }
                }
                state = apply(state, &plan);
            }
        }

        /// A client's key stands at most once in a stream (G10).
        #[test]
        fn a_plan_has_no_key_twice(batch in batch()) {
            let plan = judge(empty(), &batch);
            let clients = plan.changesets.iter().filter(|c| c.commit_id.is_clients());
            let keys: Vec<_> = clients.map(|c| (&c.stream_id, &c.commit_id)).collect();
            let distinct: std::collections::HashSet<_> = keys.iter().collect();
            prop_assert_eq!(distinct.len(), keys.len());
        }

        /// Checkpoints, changeset ids and event ids are dense (G3, G6), in stream order (G7).
        #[test]
        fn a_plan_is_dense(batch in batch()) {
            let plan = judge(empty(), &batch);
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
        }
    }
}
