//! Reading the global order from an index that may lag, up to the first hole. There the indexer's
//! state decides whether the page continues. Without I/O.

use std::collections::VecDeque;

use crate::adapter::{ChangesetKey, IndexState, PageBuilder};
use crate::{Changeset, Checkpoint, GlobalPage, Page, PageLimit};

use super::Corruption;

/// The number of members of an intent that are fetched at once.
const FETCH_AT_ONCE: usize = 16;

/// A call of the [`Index`](crate::ports::Index) port that the reader wants.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ReadRequest {
    /// The index, which may lag.
    Index {
        /// The first position to read.
        from: Checkpoint,
        /// The limit of the page.
        limit: PageLimit,
    },
    /// The state.
    State,
    /// Fetch changesets by key.
    Fetch(Vec<ChangesetKey>),
    /// The first position from this one on that is not void.
    PastVoid(Checkpoint),
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ReadAnswer {
    /// To [`ReadRequest::Index`].
    Index(Page<Changeset>),
    /// To [`ReadRequest::State`].
    State(IndexState),
    /// To [`ReadRequest::Fetch`]: one for each key.
    Fetched(Vec<Option<Changeset>>),
    /// To [`ReadRequest::PastVoid`].
    PastVoid(Checkpoint),
}

/// The next step of a read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// A request.
    Ask(ReadRequest),
    /// The page is complete.
    Done(GlobalPage),
}

/// Reads one page of the global order.
///
/// It accepts only the changeset at the expected position, and stops at the first hole that the
/// index shows. There the state, read after the index, decides. From [`IndexState::next`] on there
/// is nothing yet. A position of the intent belongs to its member, written or not: the member is
/// fetched by its key. A position before the intent is written or void. If the storage has recorded
/// it as void, the reader skips it. Otherwise the index lags, and the page ends before it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reading {
    limit: PageLimit,
    page: PageBuilder<Changeset>,
    expected: Checkpoint,
    /// The last answer of the index, from the expected position on.
    batch: VecDeque<Changeset>,
    more: bool,
    /// The highest position that the index showed.
    highest: Option<Checkpoint>,
    phase: Phase,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Phase {
    Indexing,
    Loading,
    Fetching(IndexState, Vec<ChangesetKey>),
    Passing(IndexState),
    Done,
}

impl Reading {
    /// Begins to read. Returns the first request too.
    pub fn begin(from: Checkpoint, limit: PageLimit) -> (Self, ReadRequest) {
        let mut reading = Self {
            limit,
            page: PageBuilder::new(limit),
            expected: from,
            batch: VecDeque::new(),
            more: false,
            highest: None,
            phase: Phase::Done,
        };
        let request = reading.ask_index();
        (reading, request)
    }

    /// Takes in the answer to the last request.
    ///
    /// # Errors
    /// [`Corruption`] if the storage holds contradictory data.
    pub fn answer(&mut self, answer: ReadAnswer) -> Result<Turn, Corruption> {
        match (std::mem::replace(&mut self.phase, Phase::Done), answer) {
            (Phase::Indexing, ReadAnswer::Index(page)) => self.take(page),
            (Phase::Loading, ReadAnswer::State(state)) => {
                Corruption::check_decided(self.highest, &state)?;
                Ok(self.resolve(state))
            }
            (Phase::Fetching(state, keys), ReadAnswer::Fetched(found)) => {
                self.fetched(state, keys, found)
            }
            (Phase::Passing(state), ReadAnswer::PastVoid(position)) => self.pass(state, position),
            _ => Err(Corruption::Unasked),
        }
    }

    fn take(&mut self, page: Page<Changeset>) -> Result<Turn, Corruption> {
        let last = page.items.last().and_then(|last| last.checkpoint);
        self.highest = self.highest.max(last);
        self.batch = page.items.into();
        self.more = page.more;
        self.accept()
    }

    /// Takes the changesets up to the first hole.
    fn accept(&mut self) -> Result<Turn, Corruption> {
        let before = self.expected;
        while let Some(changeset) = self.batch.pop_front() {
            match changeset.checkpoint {
                Some(position) if position == self.expected => {
                    if !self.push(changeset) {
                        return Ok(self.done());
                    }
                }
                Some(position) if position > self.expected => {
                    self.batch.push_front(changeset);
                    break;
                }
                _ => return Err(disordered(&changeset)),
            }
        }
        Ok(if self.page.is_full() {
            self.done()
        } else if self.batch.is_empty() && self.more && self.expected > before {
            Turn::Ask(self.ask_index())
        } else {
            self.phase = Phase::Loading;
            Turn::Ask(ReadRequest::State)
        })
    }

    /// Decides about the expected position by a state that was read after the index.
    fn resolve(&mut self, state: IndexState) -> Turn {
        if self.expected >= state.next() {
            return self.done();
        }
        if self.expected < state.base {
            self.phase = Phase::Passing(state);
            return Turn::Ask(ReadRequest::PastVoid(self.expected));
        }
        let rest = state.members().filter(|(_, at)| *at >= self.expected);
        let keys = rest.map(|(key, _)| key.clone());
        let keys: Vec<_> = keys.take(self.page.room().min(FETCH_AT_ONCE)).collect();
        self.phase = Phase::Fetching(state, keys.clone());
        Turn::Ask(ReadRequest::Fetch(keys))
    }

    /// The members of the intent from the expected position on.
    fn fetched(
        &mut self,
        state: IndexState,
        keys: Vec<ChangesetKey>,
        found: Vec<Option<Changeset>>,
    ) -> Result<Turn, Corruption> {
        // They include the changesets that the index showed after the hole.
        self.batch.clear();
        if keys.len() != found.len() {
            return Err(Corruption::Unasked);
        }
        for (key, found) in keys.into_iter().zip(found) {
            let reserved = self.expected;
            let mut changeset = found.ok_or_else(|| Corruption::Gone {
                key: key.clone(),
                reserved,
            })?;
            Corruption::check(&key, reserved, changeset.checkpoint)?;
            changeset.checkpoint = Some(reserved);
            if !self.push(changeset) {
                return Ok(self.done());
            }
        }
        Ok(if self.page.is_full() {
            self.done()
        } else {
            self.resolve(state)
        })
    }

    /// Skips void positions, and asks the index for what follows them. If there are none, the index lags.
    fn pass(&mut self, state: IndexState, position: Checkpoint) -> Result<Turn, Corruption> {
        if position <= self.expected {
            return Ok(self.done());
        }
        self.expected = position.min(state.base);
        if !self.batch.is_empty() {
            return self.accept();
        }
        if self.more || self.expected < state.base {
            return Ok(Turn::Ask(self.ask_index()));
        }
        Ok(self.resolve(state))
    }

    fn push(&mut self, changeset: Changeset) -> bool {
        let fits = self.page.push_changeset(changeset);
        if fits {
            self.expected = self.expected.plus(1);
        }
        fits
    }

    fn ask_index(&mut self) -> ReadRequest {
        self.phase = Phase::Indexing;
        ReadRequest::Index {
            from: self.expected,
            limit: PageLimit {
                items: self.page.room(),
                ..self.limit
            },
        }
    }

    fn done(&mut self) -> Turn {
        self.phase = Phase::Done;
        let page = std::mem::replace(&mut self.page, PageBuilder::new(self.limit));
        Turn::Done(GlobalPage {
            changesets: page.finish().items,
            next: self.expected,
        })
    }
}

fn disordered(changeset: &Changeset) -> Corruption {
    Corruption::Disordered {
        key: ChangesetKey {
            stream_id: changeset.stream_id.clone(),
            changeset_id: changeset.changeset_id,
        },
    }
}
