//! The world of the model: a stream, a marker, and commits with one key.

use super::super::MAX_ROUNDS;
use super::super::step::{Standing, Step};

/// The commits that a stream can hold.
pub(super) const MAX: u8 = 4;

/// Who wrote a changeset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum By {
    Ours,
    Other,
}

/// Where a commit is. Each step is one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum At {
    Begin,
    Judge {
        seen: Option<u8>,
    },
    Claim {
        slot: u8,
        seen: Option<u8>,
    },
    Find {
        slot: u8,
        seen: Option<u8>,
    },
    Look {
        slot: u8,
        seen: Option<u8>,
        marker: u8,
    },
    Move {
        slot: u8,
        marker: u8,
        if_empty: bool,
    },
    Put {
        slot: u8,
    },
    Refused,
    LookRefused {
        marker: u8,
    },
    Answered {
        stands: Option<u8>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Commit {
    pub(super) expects: u8,
    pub(super) at: At,
    pub(super) rounds: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) stream: Vec<By>,
    pub(super) marker: Option<u8>,
    pub(super) commits: [Commit; 2],
    /// Writes of commits that were given up, which arrive later.
    pub(super) wire: Vec<At>,
    pub(super) retries: u8,
    pub(super) restores: u8,
    /// Whether a write left a hole in the stream.
    pub(super) has_hole: bool,
}

/// What a commit knows that found a marker.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) marker: u8,
    pub(super) standing: Standing,
    pub(super) slot: u8,
    pub(super) was_seen: bool,
}

impl Found {
    /// Where a commit is that takes a step.
    fn followed_by(self, step: Step) -> At {
        let Self { marker, slot, .. } = self;
        let moves = |if_empty| At::Move {
            slot,
            marker,
            if_empty,
        };
        match step {
            Step::Stands => At::Answered {
                stands: Some(marker),
            },
            Step::Put => At::Put { slot },
            Step::Move => moves(false),
            Step::MoveIfEmpty => moves(true),
            Step::JudgeAgain => At::Judge { seen: Some(marker) },
        }
    }
}

impl World {
    pub(super) fn len(&self) -> u8 {
        u8::try_from(self.stream.len()).unwrap()
    }

    pub(super) fn standing(&self, id: u8) -> Standing {
        match self.stream.get(usize::from(id) - 1) {
            None => Standing::Nothing,
            Some(By::Ours) => Standing::Ours,
            Some(By::Other) => Standing::Other,
        }
    }

    pub(super) fn stands(&self) -> Vec<u8> {
        let ids = (1..).zip(&self.stream);
        ids.filter(|(_, by)| **by == By::Ours)
            .map(|(id, _)| id)
            .collect()
    }

    /// Does the next request of a commit. Returns where the commit is then.
    pub(super) fn go(&mut self, who: usize, rule: impl Fn(Found) -> Step) -> Option<At> {
        let commit = self.commits[who];
        let At::Judge { seen } = commit.at else {
            return self.request(commit.at, rule);
        };
        if usize::from(commit.rounds) > MAX_ROUNDS {
            return None;
        }
        self.commits[who].rounds += 1;
        let slot = commit.expects + 1;
        let holds = commit.expects == self.len() && self.len() < MAX;
        Some(if holds {
            At::Claim { slot, seen }
        } else {
            At::Refused
        })
    }

    /// Does a request. Returns what follows.
    pub(super) fn request(&mut self, at: At, rule: impl Fn(Found) -> Step) -> Option<At> {
        let again = |seen| At::Judge { seen };
        Some(match at {
            At::Claim { slot, seen } => match self.marker {
                None => {
                    self.marker = Some(slot);
                    At::Put { slot }
                }
                Some(_) => At::Find { slot, seen },
            },
            At::Find { slot, seen } => match self.marker {
                None => again(None),
                Some(marker) => At::Look { slot, seen, marker },
            },
            At::Look { slot, seen, marker } => {
                let standing = self.standing(marker);
                let was_seen = seen == Some(marker);
                let found = Found {
                    marker,
                    standing,
                    slot,
                    was_seen,
                };
                found.followed_by(rule(found))
            }
            At::Move {
                slot,
                marker,
                if_empty,
            } => {
                let empty = self.standing(slot) == Standing::Nothing;
                let moves = self.marker == Some(marker) && (empty || !if_empty);
                self.marker = if moves { Some(slot) } else { self.marker };
                if moves { At::Put { slot } } else { again(None) }
            }
            At::Put { slot } if self.standing(slot) == Standing::Nothing => {
                self.has_hole |= slot != self.len() + 1;
                self.stream.push(By::Ours);
                At::Answered { stands: Some(slot) }
            }
            At::Begin | At::Put { .. } => again(None),
            At::Refused => match self.marker {
                None => At::Answered { stands: None },
                Some(marker) => At::LookRefused { marker },
            },
            At::LookRefused { marker } => At::Answered {
                stands: Some(marker).filter(|_| self.standing(marker) == Standing::Ours),
            },
            At::Judge { .. } | At::Answered { .. } => return None,
        })
    }
}
