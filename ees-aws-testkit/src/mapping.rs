//! Event source mappings, which deliver a stream's records to a function in batches.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::destinations::{Destinations, StreamFailure};
use crate::function::{Function, FunctionError};
use crate::record::{created, number};
use crate::services::Services;
use crate::template::{Mapping, table_of_stream};
use crate::{Error, Pace};

mod controls;
pub mod filter;
pub mod retrying;

pub(crate) use controls::Controls;

use filter::Filter;
use retrying::{Next, judge};

/// The maximum size in bytes of the records of one invocation: 6 MB minus room for their frame.
const MAX_BATCH_BYTES: usize = 6 * 1024 * 1024 - 4096;

/// A mapping that reads a shard and invokes its function.
pub(crate) struct Poller {
    mapping: Mapping,
    function: Arc<Function>,
    services: Arc<Services>,
    destinations: Arc<Destinations>,
    pub(crate) controls: Arc<Controls>,
    pace: Pace,
    filter: Filter,
    stream: String,
    shard: String,
    iterator: String,
    /// The records that were read and are not delivered yet.
    read: VecDeque<Value>,
}

/// Records that are delivered together.
struct Batch {
    records: Vec<Value>,
    /// The number of retries of these records.
    retries: u32,
}

impl Poller {
    /// Looks up the stream, and begins at the mapping's starting position.
    pub(crate) async fn new(
        mapping: Mapping,
        function: Arc<Function>,
        services: Arc<Services>,
        destinations: Arc<Destinations>,
        pace: Pace,
    ) -> Result<Self, Error> {
        let table = table_of_stream(&mapping.stream).unwrap_or_default();
        let asked = json!({ "TableName": table });
        let described = services.dynamodb("DescribeTable", &asked).await?;
        let stream = text(&described["Table"]["LatestStreamArn"]);
        let asked = json!({ "StreamArn": stream });
        let described = services.streams("DescribeStream", &asked).await?;
        let shard = text(&described["StreamDescription"]["Shards"][0]["ShardId"]);
        let from = if mapping.from_oldest {
            "TRIM_HORIZON"
        } else {
            "LATEST"
        };
        let asked = json!({"StreamArn": stream, "ShardId": shard, "ShardIteratorType": from});
        let iterator = services.streams("GetShardIterator", &asked).await?;
        Ok(Self {
            filter: Filter::new(&mapping.id, &mapping.filters)?,
            iterator: text(&iterator["ShardIterator"]),
            mapping,
            function,
            services,
            destinations,
            controls: Arc::new(Controls::new()),
            pace,
            stream,
            shard,
            read: VecDeque::new(),
        })
    }

    /// Runs until it is dropped.
    pub(crate) async fn run(mut self) {
        let controls = Arc::clone(&self.controls);
        loop {
            let batch = self.next_batch().await;
            for batch in controls.disturbed(batch) {
                if !batch.is_empty() {
                    self.deliver(batch).await;
                }
            }
        }
    }

    /// Reads until a batch is complete: it has the maximum number of records, or its window has
    /// closed.
    async fn next_batch(&mut self) -> Vec<Value> {
        let mut closes = None;
        loop {
            let asked = self.controls.asked();
            let more = self.poll().await;
            if self.controls.rest().await {
                continue;
            }
            let is_full = self.read.len() >= self.mapping.batch_size as usize;
            if !self.read.is_empty() {
                let closes = *closes.get_or_insert(Instant::now() + self.mapping.window);
                if is_full || Instant::now() >= closes {
                    return self.cut();
                }
            }
            if more == Ok(false) {
                if self.read.is_empty() {
                    self.controls.all_done(asked);
                }
                sleep(self.pace.poll).await;
            } else if more.is_err() {
                sleep(self.pace.poll).await;
            }
        }
    }

    /// Reads the next records of the shard. Returns whether there were any.
    async fn poll(&mut self) -> Result<bool, ()> {
        let asked = json!({"ShardIterator": self.iterator, "Limit": self.mapping.batch_size});
        // A failed read is repeated later.
        let mut answer = self
            .services
            .streams("GetRecords", &asked)
            .await
            .map_err(drop)?;
        self.iterator = text(&answer["NextShardIterator"]);
        let Value::Array(records) = answer["Records"].take() else {
            return Err(());
        };
        let is_some = !records.is_empty();
        for mut record in records {
            record["eventSourceARN"] = json!(self.stream);
            if self.filter.matches(&record) {
                self.read.push_back(record);
            }
        }
        Ok(is_some)
    }

    /// Takes the largest possible batch of the records that were read.
    fn cut(&mut self) -> Vec<Value> {
        let mut bytes = 0;
        let limit = self.mapping.batch_size as usize;
        let fits = |record: &&Value| {
            bytes += record.to_string().len() + 1;
            bytes <= MAX_BATCH_BYTES
        };
        let count = self.read.iter().take(limit).take_while(fits).count();
        self.read.drain(..count.max(1)).collect()
    }

    /// Delivers a batch, and then its remainder, until every record is processed or given up.
    async fn deliver(&self, records: Vec<Value>) {
        let mut waiting = vec![Batch {
            records,
            retries: 0,
        }];
        while let Some(mut batch) = waiting.pop() {
            let live = batch.records.split_off(self.expired(&batch.records));
            self.give_up(batch.records, "RecordAgeExceeded", batch.retries, None)
                .await;
            if live.is_empty() {
                continue;
            }
            self.try_once(live, batch.retries, &mut waiting).await;
        }
    }

    async fn try_once(&self, mut records: Vec<Value>, retries: u32, waiting: &mut Vec<Batch>) {
        let event = json!({ "Records": records });
        let answer = self.function.invoke(&event).await;
        let numbers: Vec<_> = records.iter().map(number).collect();
        let next = judge(
            &numbers,
            answer.as_ref().ok(),
            &self.mapping.on_error,
            retries,
        );
        match next {
            Next::Done => return,
            Next::GiveUp(from) => {
                let left = records.split_off(from);
                let error = answer.err();
                self.give_up(left, "RetryAttemptsExhausted", retries + 1, error)
                    .await;
                return;
            }
            Next::Again(from) => {
                let records = records.split_off(from);
                let retries = retries + 1;
                waiting.push(Batch { records, retries });
            }
            Next::Halves(middle) => {
                let later = records.split_off(middle);
                waiting.push(Batch {
                    records: later,
                    retries,
                });
                waiting.push(Batch { records, retries });
            }
        }
        sleep(self.pace.pause(retries)).await;
    }

    /// The number of records at the beginning of the batch that are too old.
    fn expired(&self, records: &[Value]) -> usize {
        let Some(oldest) = self.mapping.on_error.max_age else {
            return 0;
        };
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let is_old = |record: &&Value| now.saturating_sub(created(record)) > oldest;
        records.iter().take_while(is_old).count()
    }

    async fn give_up(
        &self,
        records: Vec<Value>,
        condition: &'static str,
        invocations: u32,
        error: Option<FunctionError>,
    ) {
        let Some(destination) = &self.mapping.on_failure else {
            return;
        };
        if records.is_empty() {
            return;
        }
        let failure = StreamFailure {
            mapping: &self.mapping.id,
            function: self.function.settings().arn(),
            stream: &self.stream,
            shard: &self.shard,
            condition,
            invocations,
            error,
            records,
        };
        self.destinations
            .give_up_records(destination, failure)
            .await;
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
