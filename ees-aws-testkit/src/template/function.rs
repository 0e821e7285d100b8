//! A function of a template, and what invokes it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

mod events;
mod reading;

/// A function of a template.
#[derive(Debug, Clone)]
pub struct Function {
    /// Its logical id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// The value of `_HANDLER`.
    pub handler: String,
    /// The time limit of an invocation.
    pub timeout: Duration,
    /// The memory in MiB.
    pub memory: u32,
    /// The maximum number of concurrent invocations; `None` if only the account limits it.
    pub concurrency: Option<u32>,
    /// The environment variables.
    pub environment: BTreeMap<String, String>,
    /// The mappings of the streams that it reads.
    pub mappings: Vec<Mapping>,
    /// The schedules that invoke it.
    pub schedules: Vec<Schedule>,
    /// The buckets whose new objects it is notified of.
    pub triggers: Vec<Trigger>,
    /// The routes of an API that invoke it.
    pub routes: Vec<Route>,
    /// The maximum number of retries of an asynchronous invocation.
    pub async_retries: u32,
    /// The maximum age of an asynchronous invocation.
    pub async_max_age: Duration,
    /// The ARN of the dead-letter queue or topic that receives the event of a failed asynchronous
    /// invocation.
    pub dead_letters: Option<String>,
    /// The ARN of the destination that receives the record of a failed asynchronous invocation.
    pub async_on_failure: Option<String>,
}

/// An event source mapping, which delivers a stream's records in batches.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// Its name: the id of the function's event.
    pub id: String,
    /// The stream's ARN as in the template; see [`table_of_stream`](super::table_of_stream).
    pub stream: String,
    /// Whether it begins with the oldest record (`TRIM_HORIZON`), and not with the next one.
    pub from_oldest: bool,
    /// Whether it runs.
    pub enabled: bool,
    /// The maximum number of records in a batch.
    pub batch_size: u32,
    /// How long it waits until a batch is full.
    pub window: Duration,
    /// The maximum number of concurrent batches of a shard.
    pub parallelization: u32,
    /// The treatment of failed batches.
    pub on_error: OnError,
    /// The patterns, one of which a record must match. If there are none, all records match.
    pub filters: Vec<Value>,
    /// The ARN of the destination that receives the record of a batch that is given up.
    pub on_failure: Option<String>,
}

/// The treatment of failed batches.
#[derive(Debug, Clone, Copy)]
pub struct OnError {
    /// Whether a batch that failed as a whole is split in halves.
    pub bisect: bool,
    /// Whether answers report which records failed (`ReportBatchItemFailures`).
    pub partial: bool,
    /// The maximum number of retries; `None` means no limit.
    pub retries: Option<u32>,
    /// The maximum age of a record; `None` means the retention of the stream.
    pub max_age: Option<Duration>,
}

/// A schedule.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Its name: the id of the function's event.
    pub id: String,
    /// The schedule: `rate(...)`, or an expression that [`Schedule::period`] does not support.
    pub expression: String,
    /// Whether it runs.
    pub enabled: bool,
    /// The event of the function, if the template sets one.
    pub input: Option<String>,
}

/// A bucket's notifications.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// The bucket's name.
    pub bucket: String,
    /// `s3:ObjectCreated:*`.
    pub events: Vec<String>,
    /// The required beginning of keys.
    pub prefix: String,
    /// The required end of keys.
    pub suffix: String,
}

/// A route of an API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// `/{proxy+}`.
    pub path: String,
    /// `ANY`, `GET`.
    pub method: String,
}

impl Schedule {
    /// The time between two runs of a `rate(...)`.
    pub fn period(&self) -> Option<Duration> {
        let rate = self.expression.strip_prefix("rate(")?.strip_suffix(')')?;
        let (number, unit) = rate.split_once(' ')?;
        let minutes = match unit.trim_end_matches('s') {
            "minute" => 1,
            "hour" => 60,
            "day" => 24 * 60,
            _ => return None,
        };
        let number: u64 = number.parse().ok()?;
        Some(Duration::from_secs(number.checked_mul(minutes * 60)?))
    }
}
