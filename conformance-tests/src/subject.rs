//! The store as its users see it: the same calls and answers, directly and over HTTP.
//!
//! The types are plain on purpose. They share nothing with the core's types, so that a mistake
//! there is not repeated here.

mod direct;
#[cfg(feature = "http")]
mod http;
mod words;

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

pub use direct::Direct;
#[cfg(feature = "sigv4")]
pub use http::Signer;
#[cfg(feature = "http")]
pub(crate) use http::encode;
#[cfg(feature = "http")]
pub use http::{Access, EventStream, Front, Remote, Response, Sent};

/// A store under test.
#[async_trait]
pub trait Subject: Send + Sync {
    /// Commits a changeset.
    async fn commit(&self, ask: &Ask) -> Result<Committed, Failure>;

    /// Commits to several streams, all or nothing.
    async fn commit_all(&self, ask: &AskSet) -> Result<Vec<Committed>, Failure>;

    /// The end of a stream.
    async fn head(&self, stream: &str) -> Result<Head, Failure>;

    /// A page of a stream's changesets.
    async fn changesets(&self, stream: &str, read: &Read) -> Result<Page<Changeset>, Failure>;

    /// A page of a stream's events.
    async fn events(&self, stream: &str, read: &Read) -> Result<Page<Event>, Failure>;

    /// A page of the global order.
    async fn global_changesets(&self, read: &GlobalRead<u64>) -> Result<GlobalPage, Failure>;

    /// A page of the global order's events.
    async fn global_events(
        &self,
        read: &GlobalRead<(u64, u64)>,
    ) -> Result<GlobalEventPage, Failure>;

    /// The head of the global order: the position that the next changeset will get.
    async fn next_checkpoint(&self) -> Result<u64, Failure>;

    /// The statistics, once they have reached at least this version.
    async fn statistics_at(&self, version: u64) -> Result<Statistics, Failure>;
}

/// A commit to send.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ask {
    /// The stream.
    pub stream: String,
    /// The expectation.
    pub expect: Expect,
    /// The events, a JSON array as text.
    pub events: String,
    /// The metadata as text; `None` leaves it out.
    pub metadata: Option<String>,
    /// The idempotency key.
    pub key: Option<String>,
}

/// An expectation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expect {
    /// By the last changeset's id.
    Changeset(u64),
    /// By the last event's id.
    Event(u64),
}

impl Ask {
    /// A commit of one small event with a given expectation.
    pub fn new(stream: &str, expect: Expect) -> Self {
        Self {
            stream: stream.to_owned(),
            expect,
            events: r#"[{"type":"tested"}]"#.to_owned(),
            metadata: None,
            key: None,
        }
    }

    /// The same with other events: a JSON array as text.
    #[must_use]
    pub fn events(mut self, events: impl Into<String>) -> Self {
        self.events = events.into();
        self
    }

    /// The same with metadata: JSON as text.
    #[must_use]
    pub fn metadata(mut self, metadata: impl Into<String>) -> Self {
        self.metadata = Some(metadata.into());
        self
    }

    /// The same with an idempotency key.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }
}

/// A set of commits to send.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct AskSet {
    /// The commits. Their keys are not sent.
    pub commits: Vec<Ask>,
    /// Streams that have to be as they were seen.
    pub checks: Vec<(String, Expect)>,
    /// The idempotency key.
    pub key: Option<String>,
}

impl AskSet {
    /// A set of these commits.
    pub fn new(commits: impl IntoIterator<Item = Ask>) -> Self {
        Self {
            commits: commits.into_iter().collect(),
            ..Self::default()
        }
    }

    /// The same with one more check.
    #[must_use]
    pub fn check(mut self, stream: &str, expect: Expect) -> Self {
        self.checks.push((stream.to_owned(), expect));
        self
    }

    /// The same with an idempotency key.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }
}

/// The answer to a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Committed {
    /// The stream.
    pub stream: String,
    /// The changeset's id.
    pub changeset_id: u64,
    /// Its first event's id.
    pub first_event_id: u64,
    /// Its last event's id.
    pub last_event_id: u64,
    /// The time of the commit, RFC 3339.
    pub timestamp: String,
    /// Its position in the global order, if it has one already.
    pub checkpoint: Option<u64>,
    /// Whether the store says that the changeset stood before, with the commit's key.
    pub replayed: bool,
}

/// The end of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The last changeset's id.
    pub last_changeset: u64,
    /// The last event's id.
    pub last_event: u64,
    /// The last changeset's time, RFC 3339.
    pub last_timestamp: String,
}

/// A read of a stream. The default reads all of it, forward.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Read {
    /// The first id of the range.
    pub from: Option<u64>,
    /// The last id of the range.
    pub to: Option<u64>,
    /// The maximum number of items.
    pub limit: Option<u64>,
    /// Newest first.
    pub backward: bool,
    /// How long to wait while the range holds nothing.
    pub wait: Duration,
}

/// Items of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// The `from` (backward: the `to`) of the next page, if there is one.
    pub next: Option<u64>,
}

/// A changeset as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changeset {
    /// Its stream.
    pub stream: String,
    /// Its id.
    pub changeset_id: u64,
    /// Its first event's id.
    pub first_event_id: u64,
    /// Its last event's id.
    pub last_event_id: u64,
    /// The time of the commit, RFC 3339.
    pub timestamp: String,
    /// Its events, a JSON array as text.
    pub events: String,
    /// Its metadata as text.
    pub metadata: String,
    /// Its position in the global order, if it has one already.
    pub checkpoint: Option<u64>,
    /// The idempotency key of its commit, the client's or the one that the store made.
    pub idempotency_key: Option<String>,
}

/// An event as it was read from its stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its id.
    pub id: u64,
    /// The event as text.
    pub data: String,
}

/// What a read of the global order selects. The default selects everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// The beginnings of stream ids: any of them.
    pub stream_prefixes: Vec<String>,
    /// The types of events: any of them.
    pub event_types: Vec<String>,
}

impl Filter {
    /// Selects by these beginnings of stream ids and these types.
    pub fn new(stream_prefixes: &[&str], event_types: &[&str]) -> Self {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        Self {
            stream_prefixes: owned(stream_prefixes),
            event_types: owned(event_types),
        }
    }
}

/// A read of the global order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GlobalRead<C> {
    /// The checkpoint to read from.
    pub checkpoint: C,
    /// The maximum number of items; 10 if not given.
    pub limit: Option<u64>,
    /// How long to wait while there is no item.
    pub wait: Duration,
    /// What is selected.
    pub filter: Filter,
    /// What is before the checkpoint, newest first.
    pub backward: bool,
}

impl<C> GlobalRead<C> {
    /// Reads what is before a checkpoint, newest first.
    pub fn before(checkpoint: C) -> Self {
        Self {
            backward: true,
            ..Self::from(checkpoint)
        }
    }

    /// Reads from a checkpoint, without waiting.
    pub fn from(checkpoint: C) -> Self {
        Self {
            checkpoint,
            limit: None,
            wait: Duration::ZERO,
            filter: Filter::default(),
            backward: false,
        }
    }

    /// The same with a filter.
    #[must_use]
    pub fn filter(mut self, filter: &Filter) -> Self {
        self.filter = filter.clone();
        self
    }

    /// The same with a limit.
    #[must_use]
    pub fn limit(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The same with a wait.
    #[must_use]
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }
}

/// Changesets of the global order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GlobalPage {
    /// The changesets.
    pub changesets: Vec<Changeset>,
    /// The checkpoint to read from next.
    pub next_checkpoint: u64,
}

/// Events of the global order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlobalEventPage {
    /// The events.
    pub events: Vec<GlobalEvent>,
    /// The checkpoint to read from next.
    pub next_checkpoint: (u64, u64),
}

/// An event as it was read from the global order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlobalEvent {
    /// Its stream.
    pub stream: String,
    /// Its changeset's id.
    pub changeset_id: u64,
    /// Its id.
    pub event_id: u64,
    /// The event as text.
    pub data: String,
    /// Its position.
    pub checkpoint: (u64, u64),
}

/// The counts of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statistics {
    /// The number of streams.
    pub total_streams: u64,
    /// The number of changesets.
    pub total_changesets: u64,
    /// The number of events.
    pub total_events: u64,
    /// The longest stream, in changesets.
    pub max_stream_length: u64,
    /// The counts are exact below this checkpoint.
    pub version: u64,
}

/// A refusal or a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The wire contract's code.
    pub code: String,
    /// The message for people.
    pub message: String,
    /// With `OPTIMISTIC_CONCURRENCY_EXCEPTION`: the changesets after the expectation.
    pub forthcoming: Option<Page<Changeset>>,
    /// With `IDEMPOTENCY_KEY_REUSED`: the changeset that has the key.
    pub has_the_key: Option<Box<Changeset>>,
    /// Of a set: every commit and every check that does not hold.
    pub conflicts: Option<Vec<Unmet>>,
}

/// A commit or a check of a set that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmet {
    /// The stream.
    pub stream: String,
    /// The last changeset's id; 0 if the stream does not exist.
    pub last_changeset: u64,
    /// The last event's id; 0 if the stream does not exist.
    pub last_event: u64,
    /// The changesets after the expectation that are told.
    pub forthcoming: Page<Changeset>,
}

/// A stream name that no other case and no other run uses.
pub fn unique(name: &str) -> String {
    format!("{name}-{}", uuid::Uuid::new_v4())
}
