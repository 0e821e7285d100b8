//! Delivers batches of a shard to a function, again and again where it fails.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::destinations::StreamFailure;
use crate::function::FunctionError;
use crate::record::{created, number};

use super::retrying::{Next, judge};
use super::source::Source;

/// Delivers batches of a shard.
pub(super) struct Delivery<'a> {
    pub(super) source: &'a Source,
    pub(super) shard: &'a str,
}

/// Records that are delivered together.
struct Batch {
    records: Vec<Value>,
    /// The number of retries of these records.
    retries: u32,
}

impl Delivery<'_> {
    /// Delivers a batch, and then its remainder, until every record is processed or given up.
    pub(super) async fn deliver(&self, records: Vec<Value>) {
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
        let parts = &self.source.parts;
        let event = json!({ "Records": records });
        let answer = parts.function.invoke(&event).await;
        let numbers: Vec<_> = records.iter().map(number).collect();
        let next = judge(
            &numbers,
            answer.as_ref().ok(),
            &parts.mapping.on_error,
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
        sleep(parts.pace.pause(retries)).await;
    }

    /// The number of records at the beginning of the batch that are too old.
    fn expired(&self, records: &[Value]) -> usize {
        let Some(oldest) = self.source.parts.mapping.on_error.max_age else {
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
        let parts = &self.source.parts;
        let Some(destination) = &parts.mapping.on_failure else {
            return;
        };
        if records.is_empty() {
            return;
        }
        let failure = StreamFailure {
            mapping: &parts.mapping.id,
            function: parts.function.settings().arn(),
            stream: &self.source.stream,
            shard: self.shard,
            condition,
            invocations,
            error,
            records,
        };
        parts
            .destinations
            .give_up_records(destination, failure)
            .await;
    }
}
