//! Publication: the messages for subscribers about committed changesets.

mod attributes;
mod lane;
mod message;
mod noncharacters;

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
use tracing::Instrument;

use crate::ports::{ChangesetKey, Message, PublishError, Publisher, Topic};
use crate::{Changeset, StreamId, spans};

use lane::Lane;
pub use message::MIN_MESSAGE_BYTES;

/// The number of concurrent calls of the publisher.
const MAX_CALLS: usize = 8;

/// Publishes changesets to subscribers: one message for each changeset on one topic, and one for
/// each event on another. There a changeset of more than 10,000 events has one message.
///
/// The messages of a stream are sent in its order, one after another. Messages of different streams
/// are sent together, as many in a call as the publisher accepts. A failed message holds back only
/// the later messages of its own stream and topic.
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
    /// The changesets with undelivered messages, in the order in which they were added.
    unpublished: BTreeMap<u64, Unpublished>,
    unpublished_bytes: usize,
    added: u64,
    lanes: HashMap<LaneKey, Lane>,
    /// The streams that may send their next message to a topic.
    ready: HashMap<Topic, VecDeque<StreamId>>,
}

/// The key of a lane: a topic and a stream.
type LaneKey = (Topic, StreamId);

/// A changeset with messages still to be sent.
#[derive(Debug)]
struct Unpublished {
    changeset: Changeset,
    /// The number of topics that still need messages.
    topics: usize,
}

/// The failure that holds back a stream's messages to a topic.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{key} cannot be published: {error}")]
pub struct Unsent {
    /// The changeset whose message failed.
    pub key: ChangesetKey,
    /// The topic.
    pub topic: Topic,
    /// The publisher's error.
    pub error: PublishError,
}

/// The messages of one call, and their results.
struct Sent {
    keys: Vec<LaneKey>,
    results: Vec<Result<(), PublishError>>,
}

impl Publication {
    /// An empty publication.
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

    /// Adds a changeset after the earlier added ones of its stream.
    pub fn add(&mut self, changeset: Changeset) {
        let number = self.added;
        self.added += 1;
        let limit = self.publisher.limits().message_bytes;
        // A changeset stored by the Python original may hold no event.
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

    /// Sends all messages that can be sent, including those that failed in an earlier run. The call
    /// may be dropped: the next run sends the messages in transit again.
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
                    let span = spans::publish(topic, batch.len());
                    let results = publisher.publish(topic, &batch).instrument(span).await;
                    Sent { keys, results }
                });
            }
            match calls.next().await {
                Some(sent) => self.take(sent),
                None => return,
            }
        }
    }

    /// Removes a changeset whose message is refused, so that the next run sends the later messages of
    /// its stream without it. The caller has to keep it elsewhere.
    pub fn set_aside(&mut self, refused: &ChangesetKey) {
        let is_it = |waiting: &Unpublished| {
            let changeset = &waiting.changeset;
            changeset.changeset_id == refused.changeset_id
                && changeset.stream_id == refused.stream_id
        };
        let numbers = self.unpublished.iter().filter(|(_, it)| is_it(it));
        let numbers: Vec<_> = numbers.map(|(number, _)| *number).collect();
        for number in numbers {
            if let Some(removed) = self.unpublished.remove(&number) {
                self.unpublished_bytes -= removed.changeset.payload_bytes();
            }
            for (_, lane) in self
                .lanes
                .iter_mut()
                .filter(|(key, _)| key.1 == refused.stream_id)
            {
                lane.remove(number);
            }
        }
        self.lanes.retain(|_, lane| lane.first().is_some());
    }

    /// The changesets with undelivered messages, in the order in which they were added.
    pub fn unpublished(&self) -> impl ExactSizeIterator<Item = &Changeset> {
        self.unpublished.values().map(|waiting| &waiting.changeset)
    }

    /// The total payload size of the changesets with undelivered messages, in bytes.
    pub fn unpublished_bytes(&self) -> usize {
        self.unpublished_bytes
    }

    /// The messages that failed in the last run. They may hold back others.
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

    /// The next call: the messages that wait for one topic, in their order, as many as fit.
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
            bytes += message.bytes();
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

    /// Records that a changeset has been delivered on one topic.
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
        reason: "the publisher returned no result for the message".to_owned(),
        source: None,
    }
}
