//! Reads a shard, and forms batches of its records.

use std::collections::VecDeque;
use std::sync::Arc;

use ees_dynamodb_testkit::SKIPPED;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::controls::Controls;
use super::delivery::Delivery;
use super::source::{Source, text};

/// The maximum size in bytes of the records of one invocation: 6 MB minus room for their frame.
const MAX_BATCH_BYTES: usize = 6 * 1024 * 1024 - 4096;

/// A reader of a shard.
pub(super) struct Shard {
    source: Arc<Source>,
    controls: Arc<Controls>,
    id: String,
    at: At,
    /// The records that were read and are not delivered yet.
    read: VecDeque<Value>,
}

/// Where the next read begins.
enum At {
    /// At a starting position.
    Start(&'static str),
    /// At an iterator.
    Iterator(String),
    /// Nowhere: all was read.
    End,
}

impl Shard {
    pub(super) fn new(
        source: Arc<Source>,
        controls: Arc<Controls>,
        id: String,
        from_oldest: bool,
    ) -> Self {
        Self {
            source,
            controls,
            id,
            at: At::Start(if from_oldest {
                "TRIM_HORIZON"
            } else {
                "LATEST"
            }),
            read: VecDeque::new(),
        }
    }

    /// Delivers all batches of the shard, one after another, and returns its id at its end.
    pub(super) async fn run(mut self) -> String {
        while let Some(batch) = self.next_batch().await {
            let delivery = Delivery {
                source: &self.source,
                shard: &self.id,
            };
            for batch in self.controls.disturbed(&self.id, batch) {
                if !batch.is_empty() {
                    delivery.deliver(batch).await;
                }
            }
        }
        self.id
    }

    /// Reads until a batch is complete: it has the maximum number of records, or its window has
    /// closed. Returns `None` at the end of the shard.
    async fn next_batch(&mut self) -> Option<Vec<Value>> {
        let mut closes = None;
        let (mapping, pace) = (&self.source.parts.mapping, self.source.parts.pace);
        let (batch_size, window) = (mapping.batch_size as usize, mapping.window);
        let (mut news, mut was_idle) = (self.controls.news(), false);
        loop {
            let asked = self.controls.asked();
            news.mark_unchanged();
            let more = self.poll().await;
            if was_idle && more == Ok(true) {
                self.controls.tell();
            }
            was_idle = false;
            if self.controls.rest().await {
                continue;
            }
            let is_full = self.read.len() >= batch_size;
            let has_ended = matches!(self.at, At::End);
            if !self.read.is_empty() {
                let closes = *closes.get_or_insert(Instant::now() + window);
                if is_full || has_ended || Instant::now() >= closes {
                    return Some(self.cut());
                }
            } else if has_ended {
                return None;
            }
            if more == Ok(false) {
                if self.read.is_empty() {
                    self.controls.all_done(&self.id, asked);
                }
                // Together the readers of all shards ask as often as one would, and tell each other.
                tokio::select! {
                    () = sleep(pace.poll * self.controls.shards().max(1)) => was_idle = true,
                    () = self.controls.asked_after(asked) => {}
                    _ = news.changed() => {}
                }
            } else if more.is_err() {
                sleep(pace.poll).await;
            }
        }
    }

    /// Reads the next records. Returns whether there were any, also of other shards. A failed read is
    /// repeated later.
    async fn poll(&mut self) -> Result<bool, ()> {
        let services = &self.source.parts.services;
        let iterator = match &self.at {
            At::End => return Ok(false),
            At::Iterator(iterator) => iterator.clone(),
            At::Start(from) => {
                let stream = &self.source.stream;
                let asked =
                    json!({"StreamArn": stream, "ShardId": self.id, "ShardIteratorType": from});
                let answer = services.streams("GetShardIterator", &asked).await;
                text(&answer.map_err(drop)?["ShardIterator"])
            }
        };
        let limit = self.source.parts.mapping.batch_size;
        let asked = json!({"ShardIterator": iterator, "Limit": limit});
        self.at = At::Iterator(iterator);
        let answer = services.streams("GetRecords", &asked).await;
        let mut answer = answer.map_err(drop)?;
        let Value::Array(records) = answer["Records"].take() else {
            return Err(());
        };
        self.at = match answer["NextShardIterator"].take() {
            Value::String(next) => At::Iterator(next),
            _ => At::End,
        };
        let is_some = !records.is_empty() || answer[SKIPPED].as_u64() > Some(0);
        for mut record in records {
            record["eventSourceARN"] = json!(self.source.stream);
            if self.source.filter.matches(&record) {
                self.read.push_back(record);
            }
        }
        Ok(is_some)
    }

    /// Takes the largest possible batch of the records that were read.
    fn cut(&mut self) -> Vec<Value> {
        let mut bytes = 0;
        let limit = self.source.parts.mapping.batch_size as usize;
        let fits = |record: &&Value| {
            bytes += record.to_string().len() + 1;
            bytes <= MAX_BATCH_BYTES
        };
        let count = self.read.iter().take(limit).take_while(fits).count();
        self.read.drain(..count.max(1)).collect()
    }
}
