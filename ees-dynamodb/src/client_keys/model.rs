//! The proof that a client's key stands at most once: a model checker runs [`step`] through every
//! interleaving of a small world. Two commits with one key are tried, given up at any point and
//! tried again with any expectation. A write of a commit that was given up may arrive at any later
//! time. Other commits take slots, and a restore may cut the stream.
//!
//! A commit may be a member of a set. What the set does in the other streams is not in this world: if
//! it stops the set, the commit writes nothing, and is given up or tried again.

mod world;

use stateright::{Checker, HasDiscoveries, Model};

use super::MAX_ROUNDS;
use super::step::{Standing, Step, step};
use world::{At, By, Commit, Found, MAX, World};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    /// A commit does its next request.
    Go(usize),
    /// A commit begins with a cached head, which may be outdated.
    BeginCached(usize),
    /// A commit is given up or repeated, with this expectation.
    Again(usize, u8),
    /// A write arrives whose commit was given up.
    Land(usize),
    /// Another commit is appended.
    Other,
    /// The stream is restored to this length, while no commit runs.
    Restore(u8),
}

/// What is proved.
const ONCE: &str = "a key stands at most once";

/// What the model may do, and how the rule is broken on purpose.
#[derive(Debug, Clone, Copy)]
struct Setting {
    retries: u8,
    restores: u8,
    /// A marker whose slot is empty is moved.
    moves_empty: bool,
    /// The move after a restore does not check the slot.
    moves_blindly: bool,
    /// The commits that are members of sets.
    sets: [bool; 2],
    /// A set writes its marker whatever stands there.
    marks_blindly: bool,
}

impl Setting {
    fn step(self, found: Found) -> Step {
        let Found {
            marker,
            standing,
            slot,
            was_seen,
        } = found;
        if self.moves_empty && standing == Standing::Nothing && marker != slot {
            return Step::Move;
        }
        match step(marker.into(), standing, slot.into(), was_seen) {
            Step::MoveIfEmpty if self.moves_blindly => Step::Move,
            step => step,
        }
    }
}

impl Model for Setting {
    type State = World;
    type Action = Event;

    fn init_states(&self) -> Vec<World> {
        let [first, second] = self.sets;
        let commit = |expects, in_set| Commit {
            expects,
            at: At::Begin,
            rounds: 0,
            in_set,
        };
        let pairs = (0..MAX).flat_map(|a| (a..MAX).map(move |b| [a, b]));
        let worlds = pairs.map(|expects| World {
            stream: Vec::new(),
            marker: None,
            commits: [commit(expects[0], first), commit(expects[1], second)],
            marks_blindly: self.marks_blindly,
            wire: Vec::new(),
            retries: self.retries,
            restores: self.restores,
            has_hole: false,
        });
        worlds.collect()
    }

    fn actions(&self, now: &World, events: &mut Vec<Event>) {
        for (who, commit) in now.commits.iter().enumerate() {
            events.push(Event::Go(who));
            // A head that was cached: the stream has been as long.
            if commit.at == At::Begin && commit.expects <= now.len() && commit.expects < MAX {
                events.push(Event::BeginCached(who));
            }
            if now.retries > 0 && commit.at != At::Begin {
                events.extend((0..MAX).map(|expects| Event::Again(who, expects)));
            }
        }
        events.extend((0..now.wire.len()).map(Event::Land));
        if now.len() < MAX {
            events.push(Event::Other);
        }
        let rests = |commit: &Commit| matches!(commit.at, At::Begin | At::Answered { .. });
        if now.restores > 0 && now.wire.is_empty() && now.commits.iter().all(rests) {
            events.extend((0..now.len()).map(Event::Restore));
        }
    }

    fn next_state(&self, last: &World, event: Event) -> Option<World> {
        let mut now = last.clone();
        match event {
            Event::Go(who) => {
                let at = now.go(who, |found| self.step(found))?;
                now.commits[who].at = at;
            }
            Event::BeginCached(who) => {
                let slot = now.commits[who].expects + 1;
                now.commits[who].at = now.commits[who].holds(slot, None);
            }
            Event::Again(who, expects) => {
                now.retries -= 1;
                let at = now.commits[who].at;
                if at.writes() {
                    now.wire.push(at);
                }
                now.commits[who] = Commit {
                    expects,
                    at: At::Begin,
                    rounds: 0,
                    ..now.commits[who]
                };
            }
            Event::Land(which) => {
                let write = now.wire.remove(which);
                now.request(write, |found| self.step(found))?;
            }
            Event::Other => now.stream.push(By::Other),
            Event::Restore(length) => {
                now.restores -= 1;
                now.stream.truncate(length.into());
                // What was answered before is no longer promised.
                for commit in &mut now.commits {
                    commit.at = At::Begin;
                    commit.rounds = 0;
                }
            }
        }
        Some(now)
    }

    fn properties(&self) -> Vec<stateright::Property<Self>> {
        use stateright::Property;
        vec![
            Property::always(ONCE, |_, now: &World| now.stands().len() <= 1),
            Property::always("answers are true", |_, now: &World| {
                let mut answers = now.commits.iter().map(|commit| commit.at);
                answers.all(|at| match at {
                    At::Answered { stands: Some(id) } => now.stands().contains(&id),
                    _ => true,
                })
            }),
            Property::always("streams are dense", |_, now: &World| !now.has_hole),
            Property::always("rounds are few", |_, now: &World| {
                let mut commits = now.commits.iter();
                commits.all(|commit| usize::from(commit.rounds) <= MAX_ROUNDS)
            }),
            Property::sometimes("a commit is stored", |_, now: &World| {
                !now.stands().is_empty()
            }),
            Property::sometimes("a marker is left behind and moved", |_, now: &World| {
                now.stream.first() == Some(&By::Other)
                    && now.stands() == [2]
                    && now.commits.iter().any(|commit| commit.expects == 0)
            }),
        ]
    }
}

const PLAIN: Setting = Setting {
    retries: 1,
    restores: 0,
    moves_empty: false,
    moves_blindly: false,
    sets: [false, false],
    marks_blindly: false,
};

fn prove(setting: Setting) {
    let checker = setting.checker().threads(2).spawn_dfs().join();
    println!("{} states", checker.unique_state_count());
    checker.assert_properties();
}

fn refute(setting: Setting) {
    let broken = HasDiscoveries::AllOf([ONCE].into());
    let checker = setting.checker().threads(2).finish_when(broken);
    let broken = checker.spawn_bfs().join().discovery(ONCE);
    assert!(broken.is_some(), "the model finds nothing wrong with it");
}

#[test]
fn a_key_stands_at_most_once() {
    prove(PLAIN);
}

/// Also after a restore, which leaves markers beyond the end of the stream.
#[test]
fn a_key_stands_at_most_once_after_a_restore() {
    prove(Setting {
        restores: 1,
        ..PLAIN
    });
}

/// Also if one of the commits is a member of a set.
#[test]
fn a_key_of_a_set_and_of_a_commit_stands_at_most_once() {
    prove(Setting {
        sets: [true, false],
        ..PLAIN
    });
}

#[test]
fn a_key_of_two_sets_stands_at_most_once_after_a_restore() {
    prove(Setting {
        sets: [true, true],
        restores: 1,
        ..PLAIN
    });
}

/// A set must not take a marker away from a commit that may still write.
#[test]
fn the_model_finds_that_a_set_must_look_at_the_marker() {
    refute(Setting {
        sets: [true, false],
        marks_blindly: true,
        ..PLAIN
    });
}

/// A marker whose slot is empty belongs to a commit that may still write.
#[test]
fn the_model_finds_that_an_empty_slot_must_not_be_left() {
    refute(Setting {
        moves_empty: true,
        ..PLAIN
    });
}

/// After a restore the stream may grow up to the marker before it is moved.
#[test]
fn the_model_finds_that_the_slot_must_be_empty_still() {
    refute(Setting {
        restores: 1,
        moves_blindly: true,
        ..PLAIN
    });
}
