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
    /// Only a member of a set: reads the marker.
    Seek,
    /// Only a member of a set: the transaction, if the marker is this one, or is none or names the
    /// slot.
    Together {
        slot: u8,
        marker: Option<u8>,
    },
    Refused,
    LookRefused {
        marker: u8,
    },
    Answered {
        stands: Option<u8>,
    },
}

impl At {
    /// Whether the request may write, also after the commit was given up.
    pub(super) fn writes(self) -> bool {
        use At::{Claim, Move, Put, Together};
        matches!(
            self,
            Claim { .. } | Move { .. } | Put { .. } | Together { .. }
        )
    }

    /// What a set does instead: it writes the marker and the changeset together.
    fn together(self) -> Self {
        let together = |slot, marker| Self::Together {
            slot,
            marker: Some(marker),
        };
        match self {
            Self::Move { slot, marker, .. } => together(slot, marker),
            Self::Put { slot } => together(slot, slot),
            Self::Judge { .. } => Self::Seek,
            other => other,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Commit {
    pub(super) expects: u8,
    pub(super) at: At,
    pub(super) rounds: u8,
    /// Whether the commit is a member of a set.
    pub(super) in_set: bool,
}

impl Commit {
    /// Where a commit is whose expectation holds. `seen` is the marker that was read before.
    pub(super) fn holds(self, slot: u8, seen: Option<u8>) -> At {
        match seen {
            Some(marker) if self.in_set => At::Look { slot, seen, marker },
            None if self.in_set => At::Together { slot, marker: None },
            seen => At::Claim { slot, seen },
        }
    }
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
    pub(super) marks_blindly: bool,
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
            let next = self.request(commit.at, rule)?;
            let looked = matches!(commit.at, At::Look { .. });
            return Some(if commit.in_set && looked {
                next.together()
            } else {
                next
            });
        };
        if usize::from(commit.rounds) > MAX_ROUNDS {
            return None;
        }
        self.commits[who].rounds += 1;
        let slot = commit.expects + 1;
        let holds = commit.expects == self.len() && self.len() < MAX;
        Some(if holds {
            commit.holds(slot, seen)
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
            At::Seek => again(self.marker),
            At::Together { slot, marker } => {
                let is_meant = match marker {
                    None => self.marker.is_none_or(|found| found == slot),
                    marker => self.marker == marker,
                };
                let empty = self.standing(slot) == Standing::Nothing;
                if empty && (is_meant || self.marks_blindly) {
                    self.marker = Some(slot);
                    self.has_hole |= slot != self.len() + 1;
                    self.stream.push(By::Ours);
                    At::Answered { stands: Some(slot) }
                } else {
                    At::Seek
                }
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
