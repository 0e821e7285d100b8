//! A stream with several shards, as the stream of a table with several partitions has.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::{Call, Fate, Plan};

/// What separates the number of a shard from the emulator's id of a shard or an iterator.
const MARK: &str = "-part-";

/// A plan that shows the one shard of the emulator's streams as several. All records of items with one
/// partition key are in one of them, as in `DynamoDB` while no partition splits. Another plan decides
/// about the calls.
pub struct Shards {
    count: u64,
    plan: Arc<dyn Plan>,
}

impl Shards {
    /// Several shards; `plan` decides about the calls.
    pub fn new(count: u64, plan: Arc<dyn Plan>) -> Self {
        Self {
            count: count.max(1),
            plan,
        }
    }

    /// The shard of a record: a hash of the partition key, which is the attribute of type S.
    fn holds(&self, shard: u64, record: &Value) -> bool {
        let keys = record["dynamodb"]["Keys"].as_object();
        let mut keys = keys.into_iter().flat_map(|keys| keys.values());
        let partition = keys.find_map(|key| key["S"].as_str());
        let mut hasher = DefaultHasher::new();
        partition.hash(&mut hasher);
        hasher.finish() % self.count == shard
    }

    /// A copy of the described shard for each number.
    fn split(&self, shards: &mut Vec<Value>) {
        let parts = |shard: &Value| {
            let shard = shard.clone();
            (0..self.count).map(move |number| {
                let mut part = shard.clone();
                mark(&mut part["ShardId"], Some(number));
                part
            })
        };
        *shards = shards.iter().flat_map(parts).collect();
    }
}

/// Adds the number of a shard to an id.
fn mark(id: &mut Value, shard: Option<u64>) {
    if let (Some(text), Some(shard)) = (id.as_str(), shard) {
        *id = json!(format!("{text}{MARK}{shard}"));
    }
}

/// Removes the number of a shard from an id, and returns it.
fn unmark(id: &mut Value) -> Option<u64> {
    let (text, shard) = id.as_str()?.rsplit_once(MARK)?;
    let (text, shard) = (text.to_owned(), shard.parse().ok()?);
    *id = json!(text);
    Some(shard)
}

impl Plan for Shards {
    fn begin(&self, call: &mut Call) -> Fate {
        let fate = self.plan.begin(call);
        let named = match call.operation.as_str() {
            "GetShardIterator" => "ShardId",
            "GetRecords" => "ShardIterator",
            "DescribeStream" => "ExclusiveStartShardId",
            _ => return fate,
        };
        if let Some(id) = call.asked.get_mut(named) {
            call.shard = unmark(id);
        }
        fate
    }

    fn end(&self, call: &Call, answer: &mut Value) {
        let shards = answer.pointer_mut("/StreamDescription/Shards");
        if let Some(shards) = shards.and_then(Value::as_array_mut) {
            self.split(shards);
        }
        for iterator in ["ShardIterator", "NextShardIterator"] {
            if let Some(iterator) = answer.get_mut(iterator) {
                mark(iterator, call.shard);
            }
        }
        let records = answer.get_mut("Records").and_then(Value::as_array_mut);
        if let (Some(records), Some(shard)) = (records, call.shard) {
            records.retain(|record| self.holds(shard, record));
        }
        self.plan.end(call, answer);
    }
}

impl std::fmt::Debug for Shards {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shards")
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}
