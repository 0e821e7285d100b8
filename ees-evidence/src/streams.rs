//! Whether each changeset follows the one before it in its stream, in bounded memory.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use ees_core::Changeset;

use crate::error::LogError;
use crate::source::Source;

/// The streams whose ends are remembered, in each of two halves: about 70 MB in all.
const HALF: usize = 500_000;

/// A stream, in 128 bits.
type Key = (u64, u64);

/// The last changeset and the last event of a stream.
type End = (u64, u64);

/// The end of a stream with a changeset. One without events ends where the one before it did.
fn end_of(changeset: &Changeset) -> End {
    let last = match changeset.events.count() {
        0 => changeset.first_event_id.get() - 1,
        _ => changeset.last_event_id.get(),
    };
    (changeset.changeset_id.get(), last)
}

/// The ends of the streams that were seen last. The end of another one is looked up in the store, which
/// costs a read of one changeset.
pub(crate) struct Streams {
    half: usize,
    recent: HashMap<Key, End>,
    older: HashMap<Key, End>,
    /// What the keys of streams are made with: who names streams does not know it, so he cannot make
    /// names that have the same key.
    secrets: [RandomState; 2],
    has_forgotten: bool,
    pub(crate) looked_up: u64,
    /// The changesets that are not there, and after which no stream was found to go on.
    pub(crate) gone: u64,
}

impl Streams {
    pub(crate) fn new() -> Self {
        Self::of_half(HALF)
    }

    pub(crate) fn of_half(half: usize) -> Self {
        Self {
            half,
            recent: HashMap::new(),
            older: HashMap::new(),
            secrets: [RandomState::new(), RandomState::new()],
            has_forgotten: false,
            looked_up: 0,
            gone: 0,
        }
    }

    /// Checks the next changeset of the order. The text tells what is wrong with it.
    pub(crate) async fn check(
        &mut self,
        source: &dyn Source,
        changeset: &Changeset,
    ) -> Result<Option<String>, LogError> {
        let key = self.key(changeset);
        let known = self.recent.get(&key).or_else(|| self.older.get(&key));
        let before = match known {
            Some(end) => *end,
            None if self.has_forgotten => self.look_up(source, changeset).await?,
            None => (0, 0),
        };
        let (id, first) = (changeset.changeset_id.get(), changeset.first_event_id.get());
        // A stream that begins without events counts from 1, as the Python original did, or from 2.
        let is_second = before.0 > 0 && before.1 == 0 && first == 2;
        let mut wrong = id != before.0 + 1 || (first != before.1 + 1 && !is_second);
        self.remember(key, end_of(changeset));
        if wrong && id > before.0 + 1 && self.gone > 0 {
            // A changeset that was told to be missing, or that could not be read.
            self.gone -= 1;
            wrong = false;
        }
        Ok(wrong.then(|| {
            format!(
                "changeset {id} of stream `{}` begins with event {first}, but before it the stream ends \
                 with changeset {} and event {}",
                changeset.stream_id, before.0, before.1
            )
        }))
    }

    /// The end of the stream before a changeset, as the store has it in the stream.
    async fn look_up(
        &mut self,
        source: &dyn Source,
        changeset: &Changeset,
    ) -> Result<End, LogError> {
        self.looked_up += 1;
        let id = changeset.changeset_id.get();
        let before = id.saturating_sub(1);
        let mut end = (0, 0);
        for found in source.of_stream(&changeset.stream_id, before..=id).await? {
            let is_itself = found.changeset_id.get() == id;
            if is_itself && found.checkpoint < changeset.checkpoint {
                // It was in the order before.
                return Ok(end_of(&found));
            }
            if !is_itself && found.checkpoint < changeset.checkpoint {
                end = end_of(&found);
            }
        }
        Ok(end)
    }

    fn key(&self, changeset: &Changeset) -> Key {
        let stream = changeset.stream_id.as_str();
        let [one, other] = &self.secrets;
        (one.hash_one(stream), other.hash_one(stream))
    }

    fn remember(&mut self, key: Key, end: End) {
        self.recent.insert(key, end);
        if self.recent.len() >= self.half {
            self.has_forgotten |= !self.older.is_empty();
            self.older = std::mem::take(&mut self.recent);
        }
    }
}
