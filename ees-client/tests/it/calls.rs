//! The calls of a case, and what came of them as JSON.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use ees_client::{
    Batch, Changeset, Check, CommitId, Committed, Conflict, ConsumerDefinition, Direction, Error,
    Event, EventStore, Events, Expectation, Filter, Follow, GlobalRead, Item, Json, NewChangeset,
    NewSet, Parked, Results, Start, StreamId, StreamRead,
};
use futures_util::{Stream, StreamExt};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Notify;

/// What came of the calls of a case.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) answer: Value,
    pub(crate) items: Vec<Value>,
    pub(crate) batches: Vec<Value>,
    pub(crate) handled: Vec<u64>,
    pub(crate) error: Option<Failure>,
}

/// An error, or that no argument can be made: Rust's types refuse it before the call.
pub(crate) enum Failure {
    Store(Error),
    Refused(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

/// A case of the list.
pub(crate) struct Calls<'a> {
    pub(crate) store: EventStore,
    pub(crate) case: &'a Value,
}

impl Calls<'_> {
    fn argument(&self, name: &str) -> &Value {
        &self.case["arguments"][name]
    }

    fn parsed<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_value(self.argument(name).clone()).unwrap()
    }

    fn named<T: DeserializeOwned>(&self, name: &str) -> T {
        self.parsed(name).expect("the argument is there")
    }

    /// Makes the call, and adds what came of it.
    pub(crate) async fn make(&self, outcome: &mut Outcome) -> Result<(), Failure> {
        let name = self.case["call"].as_str().unwrap();
        match name {
            "commit" => {
                let commit = with_key(new_changeset(&self.case["arguments"]), self.key()?);
                outcome.answer = committed(&self.store.commit(&commit).await?);
            }
            "commit_all" => outcome.answer = self.commit_all().await?,
            "stream_info" => {
                let stream: StreamId = self.named("stream_id");
                let head = self.store.head(&stream).await?;
                outcome.answer = json!({ "stream_id": stream, "last_changeset": head.last_changeset,
                    "last_event": head.last_event, "last_timestamp": head.last_timestamp });
            }
            "statistics" => {
                let counts = self.store.statistics().await?;
                outcome.answer = json!({ "total_streams": counts.total_streams,
                    "total_changesets": counts.total_changesets, "total_events": counts.total_events,
                    "max_stream_length": counts.max_stream_length,
                    "statistics_version": counts.version });
            }
            "read_changesets" => {
                let read = self
                    .store
                    .read_changesets(&self.named("stream_id"), self.stream_read());
                self.take(read, changeset, outcome).await?;
            }
            "read_events" => {
                let read = self
                    .store
                    .read_events(&self.named("stream_id"), self.stream_read());
                self.take(read, event, outcome).await?;
            }
            "read_all_changesets" => {
                let read = self.store.read_all_changesets(self.global_read());
                self.take(read, changeset, outcome).await?;
            }
            "read_all_events" => {
                let read = self.store.read_all_events(self.global_read());
                self.take(read, event, outcome).await?;
            }
            "follow_batches" => {
                let batches = self.store.follow_batches(self.follow());
                self.take_batches(batches, changeset, outcome).await?;
            }
            "follow_event_batches" => {
                let batches = self.store.follow_event_batches(self.follow());
                self.take_batches(batches, event, outcome).await?;
            }
            "consume" => self.consume(outcome).await?,
            _ => self.operate(name, outcome).await?,
        }
        Ok(())
    }

    /// The key of the case, which is refused when it is made.
    fn key(&self) -> Result<Option<CommitId>, Failure> {
        let Some(key) = self.argument("idempotency_key").as_str() else {
            return Ok(None);
        };
        let key = CommitId::of_client(key);
        key.map(Some)
            .map_err(|error| Failure::Refused(error.to_string()))
    }

    async fn commit_all(&self) -> Result<Value, Failure> {
        let list = |name| self.argument(name).as_array().cloned().unwrap_or_default();
        let most = self.argument("forthcoming").as_u64();
        let commits = list("commits");
        let commits = commits.iter().map(|commit| {
            let commit = new_changeset(commit);
            match most {
                Some(most) => commit.with_max_forthcoming(usize::try_from(most).unwrap()),
                None => commit,
            }
        });
        let checks = list("checks");
        let checks = checks.iter().map(|check| Check {
            stream_id: serde_json::from_value(check["stream_id"].clone()).unwrap(),
            expectation: expectation(check),
        });
        let set = NewSet {
            commits: commits.collect(),
            checks: checks.collect(),
            idempotency_key: self.key()?,
        };
        let stored = self.store.commit_all(&set).await?;
        let commits: Vec<Value> = stored.commits.iter().map(committed).collect();
        let key = stored.idempotency_key;
        Ok(json!({ "commits": commits, "idempotency_key": key, "replayed": stored.replayed }))
    }

    fn stream_read(&self) -> StreamRead {
        StreamRead {
            from: self.parsed("from_id"),
            to: self.parsed("to_id"),
            direction: self.direction(),
            page_size: self.parsed("page_size"),
            wait: Duration::from_secs(self.parsed("wait").unwrap_or_default()),
            details: false,
        }
    }

    fn global_read<P: DeserializeOwned>(&self) -> GlobalRead<P> {
        let default = GlobalRead::<P>::default();
        GlobalRead {
            checkpoint: self.parsed("checkpoint"),
            direction: self.direction(),
            filter: self.filter(),
            store: self.parsed("store"),
            page_size: self.parsed("page_size").unwrap_or(default.page_size),
            details: false,
        }
    }

    fn follow<P: DeserializeOwned>(&self) -> Follow<P> {
        let start = match self.argument("checkpoint").as_str() {
            Some("head") => Start::Head,
            _ => self.parsed("checkpoint").map_or(Start::First, Start::At),
        };
        Follow {
            start,
            filter: self.filter(),
            store: self.parsed("store"),
            details: self.parsed("details").unwrap_or_default(),
            long_poll: self.parsed("long_poll").unwrap_or_default(),
        }
    }

    fn direction(&self) -> Direction {
        match self.argument("direction").as_str() {
            Some("backward") => Direction::Backward,
            _ => Direction::Forward,
        }
    }

    fn filter(&self) -> Filter {
        self.parsed("filter").unwrap_or_default()
    }

    /// Takes as many items as the case wants.
    async fn take<T>(
        &self,
        mut read: Results<T>,
        shown: impl Fn(&T) -> Value,
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        while let Some(item) = read.next().await {
            outcome.items.push(shown(&item?));
        }
        Ok(())
    }

    async fn take_batches<T: Item>(
        &self,
        mut batches: impl Stream<Item = Result<Batch<T>, Error>> + Unpin,
        shown: impl Fn(&T) -> Value,
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        let count = |name: &str| self.case[name].as_u64().unwrap_or(u64::MAX);
        let enough = count("take").min(count("stop_after"));
        while (outcome.items.len() as u64) < enough {
            let batch = batches.next().await.expect("it has no end")?;
            outcome.items.extend(batch.items.iter().map(&shown));
            let next = batch.next.to_string();
            // A checkpoint of changesets is a number on the wire.
            let next = serde_json::from_str(&next)
                .ok()
                .filter(Value::is_u64)
                .unwrap_or(json!(next));
            outcome
                .batches
                .push(json!({ "next": next, "store": batch.store }));
        }
        Ok(())
    }

    async fn consume(&self, outcome: &mut Outcome) -> Result<(), Failure> {
        let fails: BTreeSet<u64> =
            serde_json::from_value(self.case["fail"].clone()).unwrap_or_default();
        let stop_after = self.case["stop_after"].as_u64();
        let (handled, stop) = (Mutex::new(Vec::new()), Notify::new());
        let handle = |changeset: Changeset| {
            let checkpoint = changeset.checkpoint.unwrap().get();
            let mut handled = handled.lock().unwrap();
            handled.push(checkpoint);
            if Some(handled.len() as u64) == stop_after {
                stop.notify_one();
            }
            let fails = fails.contains(&checkpoint);
            async move {
                if fails {
                    Err("the handler fails")
                } else {
                    Ok(())
                }
            }
        };
        let worker = self.store.worker(&self.named("name"));
        let worker = worker
            .named(self.named::<String>("worker"))
            .limit(self.named("limit"));
        let worker = worker.wait(Duration::from_secs(self.named("wait")));
        let worker = worker.concurrency(self.parsed("concurrency").unwrap_or(1));
        let ended = worker.run_until(stop.notified(), handle).await;
        outcome.handled = handled.into_inner().unwrap();
        Ok(ended?)
    }

    async fn operate(&self, name: &str, outcome: &mut Outcome) -> Result<(), Failure> {
        let consumer = self.named("name");
        match name {
            "define_consumer" => {
                let mut members = self.case["arguments"].as_object().unwrap().clone();
                members.remove("name");
                if let Some(start) = members.remove("start") {
                    members.insert("from".to_owned(), start);
                }
                let definition: ConsumerDefinition =
                    serde_json::from_value(Value::Object(members)).unwrap();
                let report = self.store.define_consumer(&consumer, &definition).await?;
                outcome.answer = json!({ "name": report.name });
            }
            "parked" => {
                let read = self.store.parked(&consumer);
                self.take(read, parked, outcome).await?;
            }
            "retry_parked" => {
                let stream = self.named("stream_id");
                outcome.answer = parked(&self.store.retry_parked(&consumer, &stream).await?);
            }
            "skip_parked" => {
                let (stream, through) = (self.named("stream_id"), self.named("through_changeset"));
                let entry = self.store.skip_parked(&consumer, &stream, through).await?;
                outcome.answer = parked(&entry);
            }
            "reset_consumer" => {
                let checkpoint = self.named("checkpoint");
                self.store.reset_consumer(&consumer, checkpoint).await?;
            }
            "delete_consumer" => self.store.delete_consumer(&consumer).await?,
            other => panic!("no such call: {other}"),
        }
        Ok(())
    }
}

fn new_changeset(arguments: &Value) -> NewChangeset {
    let stream: StreamId = serde_json::from_value(arguments["stream_id"].clone()).unwrap();
    let events = Events::parse(&arguments["events"].to_string()).unwrap();
    let commit = NewChangeset::new(stream, expectation(arguments), events);
    match &arguments["metadata"] {
        Value::Null => commit,
        metadata => commit.with_metadata(Json::of(metadata).unwrap()),
    }
}

fn with_key(commit: NewChangeset, key: Option<CommitId>) -> NewChangeset {
    match key {
        Some(key) => commit.with_idempotency_key(key),
        None => commit,
    }
}

fn expectation(arguments: &Value) -> Expectation {
    if let Some(last) = arguments["expected_last_event"].as_u64() {
        return Expectation::LastEvent(last);
    }
    let last = arguments["expected_last_changeset"].as_u64();
    Expectation::LastChangeset(last.unwrap_or_default())
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn committed(stored: &Committed) -> Value {
    json!({ "stream_id": stored.stream_id, "changeset_id": stored.changeset_id,
        "idempotency_key": stored.idempotency_key, "replayed": stored.replayed,
        "checkpoint": stored.checkpoint, "timestamp": stored.timestamp,
        "first_event_id": stored.first_event_id, "last_event_id": stored.last_event_id })
}

pub(crate) fn changeset(found: &Changeset) -> Value {
    json!({ "stream_id": found.stream_id, "changeset_id": found.changeset_id,
        "events": json_of(found.events.as_str()), "metadata": json_of(found.metadata.as_str()),
        "checkpoint": found.checkpoint, "first_event_id": found.first_event_id,
        "last_event_id": found.last_event_id })
}

fn event(found: &Event) -> Value {
    json!({ "stream_id": found.stream_id, "event_id": found.event_id,
        "data": json_of(found.data.as_str()), "checkpoint": found.checkpoint })
}

fn parked(entry: &Parked) -> Value {
    json!({ "stream_id": entry.stream_id, "from_changeset": entry.from_changeset,
        "attempts": entry.attempts, "error": entry.error, "stopped": entry.stopped })
}

pub(crate) fn conflict(found: &Conflict) -> Value {
    let forthcoming: Vec<Value> = found.forthcoming.iter().map(changeset).collect();
    json!({ "stream_id": found.stream_id, "last_changeset": found.last_changeset,
        "last_event": found.last_event, "forthcoming": forthcoming, "next": found.next })
}
