//! A stream with several shards, as the stream of a table with several partitions has.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::{Call, Fate, Plan};

/// What separates the number of a shard from the emulator's id of a shard or an iterator.
const MARK: &str = "-part-";

/// The member of an answer with the number of records that were read and are in other shards. Without it
/// nobody could tell an answer without records from the end of what was written.
pub const SKIPPED: &str = "SkippedRecords";

/// A plan that shows the one shard of the emulator's streams as several. All records of items with one
/// partition key are in one of them, as in `DynamoDB`. Another plan decides about the calls.
pub struct Shards {
    count: u64,
    split: Mutex<Split>,
    plan: Arc<dyn Plan>,
}

/// Where the shards have ended, and their children begin.
#[derive(Debug, Default)]
struct Split {
    /// The newest sequence number that anybody was shown.
    shown: u128,
    /// The last sequence number of the first shards, if they have ended.
    at: Option<u128>,
}

impl Shards {
    /// Several shards; `plan` decides about the calls.
    pub fn new(count: u64, plan: Arc<dyn Plan>) -> Self {
        Self {
            count: count.max(1),
            split: Mutex::default(),
            plan,
        }
    }

    /// Ends all shards behind what was read of them. Each has two children, which have what follows.
    /// Another split changes nothing.
    pub fn split(&self) {
        let mut split = self.splits();
        split.at = split.at.or(Some(split.shown));
    }

    fn splits(&self) -> MutexGuard<'_, Split> {
        self.split.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a record is in a shard. Its number among its siblings is a hash of the partition key, which
    /// is the attribute of type S; children have the numbers after their parents.
    fn holds(&self, shard: u64, record: &Value, split: Option<u128>) -> bool {
        let is_late = split.is_some_and(|at| number(record) > at);
        let (first, siblings) = if is_late {
            (self.count, 2 * self.count)
        } else {
            (0, self.count)
        };
        let keys = record["dynamodb"]["Keys"].as_object();
        let mut keys = keys.into_iter().flat_map(|keys| keys.values());
        let partition = keys.find_map(|key| key["S"].as_str());
        let mut hasher = DefaultHasher::new();
        partition.hash(&mut hasher);
        first + hasher.finish() % siblings == shard
    }

    /// Shows a described shard as several, and their children.
    fn describe(&self, shard: &Value) -> Vec<Value> {
        let split = self.splits().at;
        let part = |number: u64| {
            let mut part = shard.clone();
            mark(&mut part["ShardId"], Some(number));
            part
        };
        let mut parts: Vec<_> = (0..self.count).map(part).collect();
        let Some(at) = split else {
            return parts;
        };
        let ids: Vec<_> = parts
            .iter()
            .map(|parent| parent["ShardId"].clone())
            .collect();
        for parent in &mut parts {
            parent["SequenceNumberRange"]["EndingSequenceNumber"] = json!(at.to_string());
        }
        let children = (self.count..3 * self.count).zip(ids.iter().cycle());
        parts.extend(children.map(|(number, parent)| {
            let mut child = part(number);
            child["ParentShardId"] = parent.clone();
            child
        }));
        parts
    }

    /// Leaves the records of a shard in an answer, and ends it if none can follow.
    fn cut(&self, shard: u64, answer: &mut Value) {
        let Some(records) = answer["Records"].as_array_mut() else {
            return;
        };
        let last = records.last().map(number);
        let mut split = self.splits();
        split.shown = split.shown.max(last.unwrap_or_default());
        let at = split.at;
        drop(split);
        let all = records.len();
        records.retain(|record| self.holds(shard, record, at));
        let skipped = all - records.len();
        let has_ended = at.is_some_and(|at| last.is_none_or(|last| last > at));
        if shard < self.count && has_ended {
            answer["NextShardIterator"] = Value::Null;
        }
        answer[SKIPPED] = json!(skipped);
    }
}

/// The sequence number of a record.
fn number(record: &Value) -> u128 {
    let number = record["dynamodb"]["SequenceNumber"].as_str();
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
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
            *shards = shards
                .iter()
                .flat_map(|shard| self.describe(shard))
                .collect();
        }
        for iterator in ["ShardIterator", "NextShardIterator"] {
            if let Some(iterator) = answer.get_mut(iterator) {
                mark(iterator, call.shard);
            }
        }
        if let Some(shard) = call.shard {
            self.cut(shard, answer);
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
