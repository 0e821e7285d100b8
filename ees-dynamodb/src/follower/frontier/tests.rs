//! Shards in any order, split at any time: no record is skipped, and none comes before its parents.

use super::*;
use proptest::prelude::*;

/// A stream with shards of numbered records.
#[derive(Debug, Default)]
struct Stream {
    shards: Vec<Simulated>,
}

#[derive(Debug)]
struct Simulated {
    parent: Option<usize>,
    records: u32,
    is_closed: bool,
    is_forgotten: bool,
    /// How often each record was read.
    read: Vec<u32>,
}

#[derive(Debug, Clone)]
enum Step {
    Append(prop::sample::Index),
    Split(prop::sample::Index, usize),
    List,
    Read(prop::sample::Index, u32),
    /// Forgets the oldest shard that was read to its end.
    Forget,
    Save,
    Restart,
}

fn name(shard: usize) -> String {
    format!("shard-{shard:04}")
}

fn number(shard: &str) -> usize {
    shard.trim_start_matches("shard-").parse().unwrap()
}

impl Stream {
    fn open(&mut self, parent: Option<usize>) {
        self.shards.push(Simulated {
            parent,
            records: 0,
            is_closed: false,
            is_forgotten: false,
            read: Vec::new(),
        });
    }

    fn listed(&self) -> Vec<Shard> {
        let shards = (0..).zip(&self.shards);
        let shards = shards.filter(|(_, shard)| !shard.is_forgotten);
        let listed = shards.map(|(id, shard)| Shard {
            id: name(id),
            parent: shard.parent.map(name),
        });
        listed.collect()
    }

    /// Reads so many records of a shard, and answers where that leads.
    fn read(&mut self, shard: usize, position: &ShardPosition, count: u32) -> ShardPosition {
        let shard = &mut self.shards[shard];
        let from = match position {
            ShardPosition::Start => 0,
            ShardPosition::After(record) => record.parse::<u32>().unwrap() + 1,
            ShardPosition::End => shard.records,
        };
        let to = from.saturating_add(count).min(shard.records);
        for record in from..to {
            shard.read[record as usize] += 1;
        }
        match to {
            to if to == shard.records && shard.is_closed => ShardPosition::End,
            0 => ShardPosition::Start,
            to => ShardPosition::After((to - 1).to_string()),
        }
    }

    fn is_read(&self, shard: usize) -> bool {
        let shard = &self.shards[shard];
        shard.is_closed && shard.read.iter().all(|times| *times > 0)
    }
}

struct World {
    stream: Stream,
    frontier: Frontier,
    saved: Frontier,
    restarted: bool,
}

impl World {
    fn new() -> Self {
        let mut stream = Stream::default();
        stream.open(None);
        stream.open(None);
        Self {
            stream,
            frontier: Frontier::default(),
            saved: Frontier::default(),
            restarted: false,
        }
    }

    fn take(&mut self, step: &Step) {
        let count = self.stream.shards.len();
        match step {
            Step::Append(at) => {
                let shard = &mut self.stream.shards[at.index(count)];
                if !shard.is_closed {
                    shard.records += 1;
                    shard.read.push(0);
                }
            }
            Step::Split(at, children) => {
                let at = at.index(count);
                if !self.stream.shards[at].is_closed && count < 60 {
                    self.stream.shards[at].is_closed = true;
                    (0..*children).for_each(|_| self.stream.open(Some(at)));
                }
            }
            Step::List => self.list(),
            Step::Read(at, records) => {
                let open: Vec<String> = self.frontier.open().map(str::to_owned).collect();
                if !open.is_empty() {
                    self.read(&open[at.index(open.len())], *records);
                }
            }
            Step::Forget => self.forget(),
            Step::Save => self.saved = self.frontier.clone(),
            Step::Restart => {
                self.restarted = true;
                self.frontier = self.saved.clone();
            }
        }
    }

    fn list(&mut self) {
        let gap = self.frontier.update(&self.stream.listed());
        assert!(!gap || self.restarted, "nothing was forgotten unread");
    }

    fn read(&mut self, id: &str, records: u32) {
        let shard = number(id);
        if let Some(parent) = self.stream.shards[shard].parent {
            assert!(self.stream.is_read(parent), "parents come before children");
        }
        let position = self.frontier.position(id).unwrap().clone();
        let position = self.stream.read(shard, &position, records);
        self.frontier.reach(id, position);
    }

    fn forget(&mut self) {
        let kept = |shard: &Simulated| !shard.is_forgotten;
        let Some(oldest) = self.stream.shards.iter().position(kept) else {
            return;
        };
        // As the one who reads knows it.
        let is_behind = match self.frontier.position(&name(oldest)) {
            None => self.stream.is_read(oldest),
            Some(position) => *position == ShardPosition::End,
        };
        if is_behind && !self.restarted {
            self.stream.shards[oldest].is_forgotten = true;
        }
    }

    fn finish(mut self) {
        for _ in 0..=self.stream.shards.len() {
            self.list();
            let open: Vec<String> = self.frontier.open().map(str::to_owned).collect();
            for shard in &open {
                self.read(shard, u32::MAX);
            }
        }
        for (id, shard) in self.stream.shards.iter().enumerate() {
            for times in &shard.read {
                assert!(*times > 0, "shard {id} was left out: {:?}", self.frontier);
                assert!(*times == 1 || self.restarted, "shard {id} was read again");
            }
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let index = any::<prop::sample::Index>;
    let step = prop_oneof![
        4 => index().prop_map(Step::Append),
        2 => (index(), 1..3_usize).prop_map(|(at, children)| Step::Split(at, children)),
        3 => Just(Step::List),
        6 => (index(), 0..5_u32).prop_map(|(at, records)| Step::Read(at, records)),
        1 => Just(Step::Forget),
        1 => Just(Step::Save),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 0..120)
}

proptest! {
    /// However shards split, are read, forgotten and begun again: every record is read, once
    /// unless reading began again, and a parent's before its children's.
    #[test]
    fn every_record_of_every_shard_is_read(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            world.take(step);
        }
        world.finish();
    }
}

#[test]
fn what_was_forgotten_unread_is_told() {
    let shard = |id: &str, parent: Option<&str>| Shard {
        id: id.to_owned(),
        parent: parent.map(str::to_owned),
    };
    let mut frontier = Frontier::default();
    assert!(!frontier.is_open(), "the first shards must come yet");
    assert!(!frontier.update(&[shard("a", None)]));
    assert!(frontier.is_open());
    frontier.reach("a", ShardPosition::After("7".to_owned()));
    assert!(frontier.update(&[shard("b", Some("a"))]), "a had more");
    assert_eq!(frontier.open().collect::<Vec<_>>(), ["b"]);
    frontier.reach("b", ShardPosition::End);
    assert!(!frontier.is_open(), "its children must come yet");
}
