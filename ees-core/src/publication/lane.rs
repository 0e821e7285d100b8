//! The messages of one stream to one topic, in order.

use std::collections::VecDeque;

use crate::ports::{Message, PublishError, Topic};
use crate::{Changeset, EventId};

use super::message::{of_changeset, of_event, of_many_events};

/// The most events of a changeset that are sent one by one. A call takes some 30 ms, and a run of a
/// publisher may have to end after a quarter of an hour: these take five minutes.
pub(super) const MAX_EVENTS: u64 = 10_000;

/// A stream's messages to a topic. One message is sent at a time; the next follows its delivery.
#[derive(Debug)]
pub(super) struct Lane {
    topic: Topic,
    limit: usize,
    /// Changesets with their numbers in the publication. The messages of the first are being sent.
    waiting: VecDeque<(u64, Changeset)>,
    /// Events of the first one that are still to be sent; none if it has more than [`MAX_EVENTS`].
    events: VecDeque<(EventId, Box<str>)>,
    /// The failure of the next message, if it failed.
    pub(super) failure: Option<PublishError>,
}

impl Lane {
    pub(super) fn new(topic: Topic, limit: usize) -> Self {
        Self {
            topic,
            limit,
            waiting: VecDeque::new(),
            events: VecDeque::new(),
            failure: None,
        }
    }

    /// Adds a changeset that has a message for the topic.
    pub(super) fn add(&mut self, number: u64, changeset: Changeset) {
        self.waiting.push_back((number, changeset));
        if self.waiting.len() == 1 {
            self.begin();
        }
    }

    /// The changeset whose messages are being sent.
    pub(super) fn first(&self) -> Option<&Changeset> {
        self.waiting.front().map(|(_, changeset)| changeset)
    }

    /// The next message to send.
    pub(super) fn message(&self) -> Option<Message> {
        let changeset = self.first()?;
        Some(match (self.topic, self.events.front()) {
            (Topic::Changesets, _) => of_changeset(changeset, self.limit),
            (Topic::Events, Some((event_id, data))) => {
                of_event(changeset, *event_id, data, self.limit)
            }
            (Topic::Events, None) => of_many_events(changeset, self.limit),
        })
    }

    /// Records that the message was delivered, and moves to the next one. Returns the number of the
    /// changeset if this was its last message.
    pub(super) fn arrived(&mut self) -> Option<u64> {
        self.events.pop_front();
        if !self.events.is_empty() {
            return None;
        }
        let (number, _) = self.waiting.pop_front()?;
        self.begin();
        Some(number)
    }

    /// Removes a changeset. If its messages were being sent, those of the next one follow.
    pub(super) fn remove(&mut self, number: u64) {
        let is_first = self.waiting.front().is_some_and(|it| it.0 == number);
        self.waiting.retain(|it| it.0 != number);
        if is_first {
            self.failure = None;
            self.begin();
        }
    }

    fn begin(&mut self) {
        let (Topic::Events, Some((_, changeset))) = (self.topic, self.waiting.front()) else {
            return;
        };
        let is_sent_alone = changeset.events.count() <= MAX_EVENTS;
        let events = is_sent_alone.then(|| changeset.events.iter().map(Box::from));
        let ids = (changeset.first_event_id.get()..).filter_map(|id| EventId::new(id).ok());
        self.events = ids.zip(events.into_iter().flatten()).collect();
    }
}
