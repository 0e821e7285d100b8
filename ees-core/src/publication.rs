//! Telling subscribers what was committed.

mod lane;
mod message;

impl std::fmt::Debug for Publication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Publication")
            .field("unpublished", &self.unpublished.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::ports::{ChangesetKey, Message, PublishError, Publisher, Topic};
use crate::{Changeset, StreamId};

use lane::Lane;
pub use message::MIN_MESSAGE_BYTES;

/// How many calls of the publisher run at the same time.
const MAX_CALLS: usize = 8;

/// Changesets on their way to subscribers: a message for each on one topic, and one for each of
/// their events on another.
///
/// Each stream's messages go in its order, one after another; different streams' go together, as
/// many in a call as the publisher takes. A message that fails holds back those behind it in its
/// own stream and topic, and nothing else.
///
/// ```
/// # use std::sync::Arc;
/// # use ees_core::adapter::Publisher;
/// # use ees_core::publication::Publication;
/// # async fn publish(publisher: Arc<dyn Publisher>, changesets: Vec<ees_core::Changeset>) {
/// let mut publication = Publication::new(publisher);
/// for changeset in changesets {
///     publication.add(changeset);
/// }
/// publication.run().await;
/// for failure in publication.failures() {
///     eprintln!("{failure}");
/// }
/// # }
/// ```
pub struct Publication {
    publisher: Arc<dyn Publisher>,
    /// What has not arrived yet, in the order in which it was added.
    unpublished: BTreeMap<u64, Unpublished>,
    unpublished_bytes: usize,
    added: u64,
    lanes: HashMap<LaneKey, Lane>,
    /// The streams that may send their next message to a topic.
    ready: HashMap<Topic, VecDeque<StreamId>>,
}

/// Which lane: the stream's messages to the topic.
type LaneKey = (Topic, StreamId);

/// A changeset of which something is still to be sent.
#[derive(Debug)]
struct Unpublished {
    changeset: Changeset,
    /// To how many topics.
    topics: usize,
}

/// Why a stream's messages to a topic do not go on.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{key} cannot be published: {error}")]
pub struct Unsent {
    /// The changeset whose message failed.
    pub key: ChangesetKey,
    /// The topic.
    pub topic: Topic,
    /// What the publisher said.
    pub error: PublishError,
}

/// Messages that are on their way, and what became of them.
struct Sent {
    keys: Vec<LaneKey>,
    results: Vec<Result<(), PublishError>>,
}

impl Publication {
    /// Nothing yet.
    pub fn new(publisher: Arc<dyn Publisher>) -> Self {
        Self {
            publisher,
            unpublished: BTreeMap::new(),
            unpublished_bytes: 0,
            added: 0,
            lanes: HashMap::new(),
            ready: HashMap::new(),
        }
    }

    /// Adds a changeset, behind those of its stream that were added before.
    pub fn add(&mut self, changeset: Changeset) {
        let number = self.added;
        self.added += 1;
        let limit = self.publisher.limits().message_bytes;
        // One that the Python original stored may hold no event.
        let has_events = changeset.events.iter().next().is_some();
        let mut topics = 0;
        for &topic in self.publisher.topics() {
            if topic == Topic::Events && !has_events {
                continue;
            }
            let key = (topic, changeset.stream_id.clone());
            let lane = self.lanes.entry(key);
            let lane = lane.or_insert_with(|| Lane::new(topic, limit));
            lane.add(number, changeset.clone());
            topics += 1;
        }
        if topics > 0 {
            self.unpublished_bytes += changeset.payload_bytes();
            let waiting = Unpublished { changeset, topics };
            self.unpublished.insert(number, waiting);
        }
    }

    /// Sends what can be sent, what failed in an earlier run included. It may be dropped: what was
    /// on its way then is sent again in the next run.
    pub async fn run(&mut self) {
        self.ready.clear();
        for (key, lane) in &mut self.lanes {
            lane.failure = None;
            Self::make_ready(&mut self.ready, key.clone());
        }
        let mut calls = FuturesUnordered::new();
        loop {
            while calls.len() < MAX_CALLS
                && let Some((topic, keys, batch)) = self.next_batch()
            {
                let publisher = Arc::clone(&self.publisher);
                calls.push(async move {
                    let results = publisher.publish(topic, &batch).await;
                    Sent { keys, results }
                });
            }
            match calls.next().await {
                Some(sent) => self.take(sent),
                None => return,
            }
        }
    }

    /// What has not arrived whole, in the order in which it was added.
    pub fn unpublished(&self) -> impl ExactSizeIterator<Item = &Changeset> {
        self.unpublished.values().map(|waiting| &waiting.changeset)
    }

    /// The bytes of payload of what has not arrived whole.
    pub fn unpublished_bytes(&self) -> usize {
        self.unpublished_bytes
    }

    /// The messages that failed in the last run, which others may have to wait for.
    pub fn failures(&self) -> impl Iterator<Item = Unsent> {
        self.lanes.iter().filter_map(|((topic, _), lane)| {
            let changeset = lane.first()?;
            Some(Unsent {
                key: ChangesetKey {
                    stream_id: changeset.stream_id.clone(),
                    changeset_id: changeset.changeset_id,
                },
                topic: *topic,
                error: lane.failure.clone()?,
            })
        })
    }

    fn make_ready(ready: &mut HashMap<Topic, VecDeque<StreamId>>, (topic, stream_id): LaneKey) {
        ready.entry(topic).or_default().push_back(stream_id);
    }

    /// The next call: as many of the messages that wait for one topic as fit, in their turn.
    fn next_batch(&mut self) -> Option<(Topic, Vec<LaneKey>, Vec<Message>)> {
        let limits = self.publisher.limits();
        let longest = self
            .ready
            .iter_mut()
            .max_by_key(|(_, streams)| streams.len());
        let (&topic, streams) = longest?;
        let (mut keys, mut batch, mut bytes) = (Vec::new(), Vec::new(), 0);
        while batch.len() < limits.messages
            && let Some(stream_id) = streams.pop_front()
        {
            let key = (topic, stream_id);
            let Some(message) = self.lanes.get(&key).and_then(Lane::message) else {
                continue;
            };
            bytes += message.body.len();
            if bytes > limits.batch_bytes && !batch.is_empty() {
                streams.push_front(key.1);
                break;
            }
            keys.push(key);
            batch.push(message);
        }
        (!batch.is_empty()).then_some((topic, keys, batch))
    }

    fn take(&mut self, sent: Sent) {
        let Sent { keys, results } = sent;
        let missing = std::iter::repeat_with(|| Err(unanswered()));
        for (key, result) in keys.into_iter().zip(results.into_iter().chain(missing)) {
            let Some(lane) = self.lanes.get_mut(&key) else {
                continue;
            };
            if let Err(error) = result {
                lane.failure = Some(error);
                continue;
            }
            let finished = lane.arrived();
            if lane.first().is_some() {
                Self::make_ready(&mut self.ready, key);
            } else {
                self.lanes.remove(&key);
            }
            if let Some(number) = finished {
                self.finish(number);
            }
        }
    }

    /// A changeset has arrived on one topic.
    fn finish(&mut self, number: u64) {
        if let Some(waiting) = self.unpublished.get_mut(&number) {
            waiting.topics -= 1;
            if waiting.topics == 0 {
                self.unpublished_bytes -= waiting.changeset.payload_bytes();
                self.unpublished.remove(&number);
            }
        }
    }
}

fn unanswered() -> PublishError {
    PublishError::Unavailable {
        reason: "the publisher did not say what became of the message".to_owned(),
        source: None,
    }
}
