//! A function as it is deployed, and what invokes it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

mod events;
mod reading;

/// A function as it is deployed.
#[derive(Debug, Clone)]
pub struct Function {
    /// Its logical id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// What its runtime gives it as `_HANDLER`.
    pub handler: String,
    /// How long an invocation may take.
    pub timeout: Duration,
    /// Its memory in MiB.
    pub memory: u32,
    /// How many invocations may run at the same time; `None` where only the account limits it.
    pub concurrency: Option<u32>,
    /// Its variables.
    pub environment: BTreeMap<String, String>,
    /// The streams that it reads.
    pub mappings: Vec<Mapping>,
    /// When it runs by itself.
    pub schedules: Vec<Schedule>,
    /// The buckets whose new objects it is told of.
    pub triggers: Vec<Trigger>,
    /// What an API passes to it.
    pub routes: Vec<Route>,
    /// How often an asynchronous invocation that failed is repeated.
    pub async_retries: u32,
    /// How old such an invocation may get.
    pub async_max_age: Duration,
    /// The ARN of what gets such an invocation at last: a queue, a topic.
    pub dead_letters: Option<String>,
    /// The ARN of what gets the record of such an invocation at last.
    pub async_on_failure: Option<String>,
}

/// An event source mapping: a stream's records in batches.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// Its name: the id of the function's event.
    pub id: String,
    /// The stream's ARN as the template gives it; see [`table_of_stream`](super::table_of_stream).
    pub stream: String,
    /// Whether it begins with the oldest record (`TRIM_HORIZON`) or with the next one.
    pub from_oldest: bool,
    /// Whether it runs.
    pub enabled: bool,
    /// The most records of a batch.
    pub batch_size: u32,
    /// How long it waits for a batch to fill.
    pub window: Duration,
    /// How many batches of a shard may run at the same time.
    pub parallelization: u32,
    /// What happens to a batch that failed.
    pub on_error: OnError,
    /// Patterns, one of which a record has to match; none: all records pass.
    pub filters: Vec<Value>,
    /// The ARN of what gets a batch that is given up.
    pub on_failure: Option<String>,
}

/// What happens to a batch that failed.
#[derive(Debug, Clone, Copy)]
pub struct OnError {
    /// Whether it is halved if it failed as a whole.
    pub bisect: bool,
    /// Whether answers tell which records failed (`ReportBatchItemFailures`).
    pub partial: bool,
    /// How often it is repeated; `None` is for ever.
    pub retries: Option<u32>,
    /// How old a record may get; `None` is as old as the stream keeps it.
    pub max_age: Option<Duration>,
}

/// A schedule.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Its name: the id of the function's event.
    pub id: String,
    /// `rate(...)`, or another that [`Schedule::period`] does not know.
    pub expression: String,
    /// Whether it runs.
    pub enabled: bool,
    /// What the function is given, if the template says so.
    pub input: Option<String>,
}

/// A bucket's notifications.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// The bucket's name.
    pub bucket: String,
    /// `s3:ObjectCreated:*`.
    pub events: Vec<String>,
    /// How keys must begin.
    pub prefix: String,
    /// How keys must end.
    pub suffix: String,
}

/// A path of an API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// `/{proxy+}`.
    pub path: String,
    /// `ANY`, `GET`.
    pub method: String,
}

impl Schedule {
    /// How long it is from one run to the next, of a `rate(...)`.
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
