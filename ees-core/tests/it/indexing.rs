//! The requests of a run of the indexer: their number and order.

use std::collections::{BTreeMap, HashMap, VecDeque};

use ees_core::adapter::{ChangesetKey, Entry, IndexState, PositionWrite};
use ees_core::indexer::{Answer, BlockLimit, Corruption, Indexing, Refused, Request, Unfit};
use ees_core::{ChangesetId, Checkpoint, StreamId};
use proptest::prelude::*;

/// A storage of streams. The first changesets of each stream have positions.
#[derive(Default)]
struct Streams {
    all: BTreeMap<StreamId, (u64, u64)>,
    malformed: Vec<ChangesetKey>,
    state: IndexState,
    intents: Vec<Vec<ChangesetKey>>,
    looked_up: usize,
    requests: HashMap<&'static str, usize>,
    most_at_once: usize,
}

fn key(stream: &str, changeset: u64) -> ChangesetKey {
    ChangesetKey {
        stream_id: StreamId::new(stream).unwrap(),
        changeset_id: ChangesetId::new(changeset).unwrap(),
    }
}

impl Streams {
    fn with(mut self, stream: &str, indexed: u64, length: u64) -> Self {
        self.all
            .insert(StreamId::new(stream).unwrap(), (indexed, length));
        self
    }

    fn entry(&self, key: &ChangesetKey) -> Entry {
        let (indexed, length) = self.all.get(&key.stream_id).copied().unwrap_or((0, 0));
        let id = key.changeset_id.get();
        if self.malformed.contains(key) {
            Entry::Malformed("no events".to_owned())
        } else if id <= indexed {
            Entry::At(Checkpoint::FIRST)
        } else if id <= length {
            Entry::Unindexed
        } else {
            Entry::Missing
        }
    }

    fn answer(&mut self, request: Request) -> Answer {
        match request {
            Request::Load => self.count("load", Answer::Loaded(self.state.clone())),
            Request::LookUp(keys) => {
                self.looked_up += keys.len();
                let found = keys.into_iter().map(|key| (key.clone(), self.entry(&key)));
                let found = found.collect();
                self.count("look up", Answer::LookedUp(found))
            }
            Request::Write { key, .. } => {
                let (indexed, _) = self.all.get_mut(&key.stream_id).unwrap();
                *indexed += 1;
                assert_eq!(*indexed, key.changeset_id.get(), "G7: written in order");
                self.count("write", Answer::Written(key, PositionWrite::Written))
            }
            Request::Swap { previous, next } => {
                assert_eq!(previous, self.state.rev);
                self.intents.push(next.intent.clone());
                self.state = next;
                self.count("swap", Answer::Swapped(true))
            }
            Request::Pause => self.count("pause", Answer::Paused),
        }
    }

    fn count(&mut self, what: &'static str, answer: Answer) -> Answer {
        *self.requests.entry(what).or_default() += 1;
        answer
    }

    /// Runs until done, or until this number of blocks is reserved.
    fn run(&mut self, candidates: Vec<ChangesetKey>, blocks: usize) -> Vec<Refused> {
        let complete = Some(self.state.rev);
        let (mut run, requests) = Indexing::begin(candidates, complete, BlockLimit::default());
        let mut open = VecDeque::from(requests);
        while let Some(request) = open.pop_front() {
            self.most_at_once = self.most_at_once.max(open.len() + 1);
            let answer = self.answer(request);
            open.extend(run.answer(answer).unwrap());
            if self.intents.len() == blocks {
                return run.refused().to_vec();
            }
        }
        assert!(run.is_done());
        run.refused().to_vec()
    }
}

#[test]
fn a_hundred_commits_take_a_hundred_and_four_requests() {
    let names: Vec<String> = (0..100).map(|stream| format!("s{stream}")).collect();
    let streams = names.iter();
    let mut streams = streams.fold(Streams::default(), |all, name| all.with(name, 6, 7));
    let refused = streams.run(names.iter().map(|name| key(name, 7)).collect(), usize::MAX);
    assert_eq!(refused, []);
    let wanted = [("load", 1), ("look up", 1), ("swap", 1), ("write", 100)];
    assert_eq!(streams.requests, HashMap::from(wanted));
    // Two batches of a hundred keys: the candidates, and the changesets before them.
    assert_eq!(streams.looked_up, 200);
    assert_eq!(
        streams.most_at_once, 100,
        "different streams at the same time"
    );
}

#[test]
fn a_stream_is_written_in_order_and_alone() {
    let mut streams = Streams::default().with("s", 0, 50);
    streams.run((1..=50).rev().map(|id| key("s", id)).collect(), usize::MAX);
    assert_eq!(streams.most_at_once, 1);
    assert_eq!(streams.intents.len(), 1);
}

#[test]
fn a_backlog_of_a_million_is_taken_oldest_first_and_never_held() {
    let mut streams = Streams::default().with("s", 7, 1_000_007);
    streams.run(vec![key("s", 1_000_007)], 50);
    let first: Vec<u64> = streams
        .intents
        .iter()
        .map(|intent| intent[0].changeset_id.get())
        .collect();
    let wanted: Vec<u64> = (0..50).map(|block| 8 + block * 100).collect();
    assert_eq!(first, wanted, "G8: oldest first, block by block");
    assert!(
        streams.looked_up < 50 * 100 + 50,
        "{} keys looked up",
        streams.looked_up
    );
}

#[test]
fn a_backlog_does_not_keep_other_streams_waiting() {
    let mut streams = Streams::default().with("a", 0, 100_000).with("b", 0, 1);
    streams.run(vec![key("a", 100_000), key("b", 1)], 2);
    assert!(streams.intents[1].contains(&key("b", 1)), "G8");
}

#[test]
fn long_names_make_small_blocks() {
    let names: Vec<String> = (0..100).map(|stream| format!("{stream:0>1024}")).collect();
    let streams = names.iter();
    let mut streams = streams.fold(Streams::default(), |all, name| all.with(name, 0, 1));
    streams.run(names.iter().map(|name| key(name, 1)).collect(), usize::MAX);
    let bytes = |intent: &Vec<ChangesetKey>| -> usize {
        intent.iter().map(|key| key.stream_id.as_str().len()).sum()
    };
    assert!(
        streams
            .intents
            .iter()
            .all(|intent| bytes(intent) <= 16 * 1024)
    );
    assert_eq!(streams.state.next().get(), 100);
    assert_eq!(streams.looked_up, 100, "nothing is read that does not fit");
}

#[test]
fn what_can_have_no_position_is_refused_and_never_reserved() {
    let mut streams = Streams::default()
        .with("gone", 0, 0)
        .with("bad", 1, 5)
        .with("good", 0, 1);
    streams.malformed.push(key("bad", 3));
    let candidates = vec![key("gone", 9), key("bad", 5), key("good", 1)];
    let refused = streams.run(candidates, usize::MAX);
    let reason = Unfit::Malformed("no events".to_owned());
    let wanted = [
        Refused {
            key: key("gone", 1),
            reason: Unfit::Missing,
        },
        Refused {
            key: key("bad", 3),
            reason,
        },
    ];
    assert_eq!(refused.len(), wanted.len());
    assert!(
        wanted.iter().all(|one| refused.contains(one)),
        "{refused:?}"
    );
    let mut reserved = streams.intents.concat();
    reserved.sort();
    assert_eq!(reserved, [key("bad", 2), key("good", 1)]);
}

#[test]
fn nothing_to_do_asks_for_nothing() {
    let (run, requests) = Indexing::begin([], None, BlockLimit::default());
    assert!(run.is_done() && requests.is_empty());
}

#[test]
fn an_intent_that_contradicts_the_table_stops_the_run() {
    let state = IndexState {
        rev: 1,
        base: Checkpoint::FIRST,
        intent: vec![key("a", 1)],
    };
    let after = |entry: Entry| {
        let limit = BlockLimit {
            waits: 0,
            ..BlockLimit::default()
        };
        let (mut run, _) = Indexing::begin([key("b", 1)], None, limit);
        run.answer(Answer::Loaded(state.clone())).unwrap();
        run.answer(Answer::LookedUp(vec![(key("a", 1), entry)]))
    };
    let (key, reserved) = (key("a", 1), Checkpoint::FIRST);
    let found = reserved.plus(7);
    assert_eq!(
        after(Entry::At(found)),
        Err(Corruption::Misplaced {
            key: key.clone(),
            reserved,
            found
        })
    );
    assert_eq!(
        after(Entry::Missing),
        Err(Corruption::Gone { key, reserved })
    );
    assert!(after(Entry::Unindexed).is_ok_and(|next| matches!(next[..], [Request::Write { .. }])));
}

proptest! {
    /// With any candidates and backlogs of any length, each stream is indexed up to its highest
    /// candidate, and no changeset twice.
    #[test]
    fn every_candidate_gets_its_position(
        streams in prop::collection::vec((0..300_u64, 1..300_u64), 1..8),
        picks in prop::collection::vec((0..8_usize, 0.0..1.0_f64), 1..20),
    ) {
        let mut storage = Streams::default();
        for (name, (indexed, more)) in streams.iter().enumerate() {
            storage = storage.with(&format!("s{name}"), *indexed, indexed + more);
        }
        let mut highest: BTreeMap<usize, u64> = BTreeMap::new();
        let mut candidates = Vec::new();
        for (stream, place) in picks {
            let stream = stream % streams.len();
            let length = streams[stream].0 + streams[stream].1;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
            let id = 1 + (place * (length - 1) as f64) as u64;
            candidates.push(key(&format!("s{stream}"), id));
            let top = highest.entry(stream).or_insert(streams[stream].0);
            *top = id.max(*top);
        }
        storage.run(candidates, usize::MAX);
        for (name, (indexed, _)) in streams.iter().enumerate() {
            let (now, _) = storage.all[&StreamId::new(&format!("s{name}")).unwrap()];
            prop_assert_eq!(now, highest.get(&name).copied().unwrap_or(*indexed));
        }
        prop_assert!(storage.intents.iter().all(|intent| intent.len() <= 100));
    }
}
