//! A function, and what invokes it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::read::At;
use super::{Resource, Template, TemplateError};

type Read<T> = Result<T, TemplateError>;

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

pub(super) fn functions(template: &Template) -> Read<Vec<Function>> {
    let functions = template.of_type("AWS::Serverless::Function");
    let mut functions: Vec<_> = functions.map(function).collect::<Read<_>>()?;
    for bucket in template.of_type("AWS::S3::Bucket") {
        notify(&mut functions, bucket)?;
    }
    for resource in template.of_type("AWS::Lambda::EventSourceMapping") {
        let at = properties(resource);
        let of = at.get("FunctionName").text()?;
        let mapping = mapping(&resource.id, &at.get("EventSourceArn"), &at)?;
        named(&mut functions, &of, &at)?.mappings.push(mapping);
    }
    Ok(functions)
}

fn properties(resource: &Resource) -> At<'_> {
    At::new(
        &resource.properties,
        format!("Resources.{}.Properties", resource.id),
    )
}

fn function(resource: &Resource) -> Read<Function> {
    let at = properties(resource);
    let invoked = at.get("EventInvokeConfig");
    let variables = at.get("Environment").get("Variables").members()?;
    let variable = |(name, value): (&str, At)| Ok((name.to_owned(), value.text()?));
    let mut function = Function {
        id: resource.id.clone(),
        name: resource.name.clone(),
        arn: resource.arn.clone().unwrap_or_default(),
        handler: at.get("Handler").text()?,
        timeout: at
            .get("Timeout")
            .seconds()?
            .unwrap_or(Duration::from_secs(3)),
        memory: at.get("MemorySize").count()?.unwrap_or(128),
        concurrency: at.get("ReservedConcurrentExecutions").count()?,
        environment: variables.into_iter().map(variable).collect::<Read<_>>()?,
        mappings: Vec::new(),
        schedules: Vec::new(),
        triggers: Vec::new(),
        routes: Vec::new(),
        async_retries: invoked.get("MaximumRetryAttempts").count()?.unwrap_or(2),
        async_max_age: invoked
            .get("MaximumEventAgeInSeconds")
            .seconds()?
            .unwrap_or(Duration::from_hours(6)),
        dead_letters: optional(&at.get("DeadLetterQueue").get("TargetArn"))?,
        async_on_failure: destination(&invoked)?,
    };
    for (id, event) in at.get("Events").members()? {
        add_event(&mut function, id, &event)?;
    }
    Ok(function)
}

fn optional(at: &At) -> Read<Option<String>> {
    (!at.is_missing()).then(|| at.text()).transpose()
}

fn destination(at: &At) -> Read<Option<String>> {
    let on_failure = at.get("DestinationConfig").get("OnFailure");
    optional(&on_failure.get("Destination"))
}

fn add_event(function: &mut Function, id: &str, event: &At) -> Read<()> {
    let at = event.get("Properties");
    match event.get("Type").text()?.as_str() {
        "DynamoDB" => function.mappings.push(mapping(id, &at.get("Stream"), &at)?),
        "Schedule" => function
            .schedules
            .push(schedule(id, &at.get("Schedule"), &at)?),
        "ScheduleV2" => function
            .schedules
            .push(schedule(id, &at.get("ScheduleExpression"), &at)?),
        "S3" => function.triggers.push(trigger(&at)?),
        "Api" => function.routes.push(Route {
            path: at.get("Path").text()?,
            method: at.get("Method").text()?.to_uppercase(),
        }),
        _ => return Err(event.get("Type").wrong("DynamoDB, Schedule, S3 or Api")),
    }
    Ok(())
}

fn mapping(id: &str, stream: &At, at: &At) -> Read<Mapping> {
    let position = at.get("StartingPosition");
    let from_oldest = match position.text()?.as_str() {
        "TRIM_HORIZON" => true,
        "LATEST" => false,
        _ => return Err(position.wrong("TRIM_HORIZON or LATEST")),
    };
    let enabled = at.get("Enabled");
    Ok(Mapping {
        id: id.to_owned(),
        stream: stream.text()?,
        from_oldest,
        enabled: enabled.is_missing() || enabled.flag()?,
        batch_size: at.get("BatchSize").count()?.unwrap_or(100).max(1),
        window: at
            .get("MaximumBatchingWindowInSeconds")
            .seconds()?
            .unwrap_or_default(),
        parallelization: at.get("ParallelizationFactor").count()?.unwrap_or(1),
        on_error: on_error(at)?,
        filters: filters(at)?,
        on_failure: destination(at)?,
    })
}

fn on_error(at: &At) -> Read<OnError> {
    // -1 is for ever.
    let limit = |name| -> Read<Option<u32>> {
        let number = at.get(name).number()?;
        Ok(number.and_then(|number| u32::try_from(number).ok()))
    };
    let reported = at.get("FunctionResponseTypes").items()?;
    Ok(OnError {
        bisect: at.get("BisectBatchOnFunctionError").flag()?,
        partial: reported
            .iter()
            .any(|at| *at.value == json!("ReportBatchItemFailures")),
        retries: limit("MaximumRetryAttempts")?,
        max_age: limit("MaximumRecordAgeInSeconds")?.map(|age| Duration::from_secs(age.into())),
    })
}

fn filters(at: &At) -> Read<Vec<Value>> {
    let filters = at.get("FilterCriteria").get("Filters").items()?;
    let pattern = |at: &At| {
        let at = at.get("Pattern");
        let pattern = serde_json::from_str(&at.text()?);
        pattern.map_err(|error| at.wrong(&format!("a pattern in JSON: {error}")))
    };
    filters.iter().map(pattern).collect()
}

fn schedule(id: &str, expression: &At, at: &At) -> Read<Schedule> {
    let (enabled, state) = (at.get("Enabled"), at.get("State"));
    Ok(Schedule {
        id: id.to_owned(),
        expression: expression.text()?,
        enabled: (enabled.is_missing() || enabled.flag()?) && *state.value != json!("DISABLED"),
        input: optional(&at.get("Input"))?,
    })
}

fn trigger(at: &At) -> Read<Trigger> {
    let events = at.get("Events");
    let events = match events.value {
        Value::Array(_) => events.items()?.iter().map(At::text).collect::<Read<_>>()?,
        _ => vec![events.text()?],
    };
    filtered(at.get("Bucket").text()?, events, at)
}

fn filtered(bucket: String, events: Vec<String>, at: &At) -> Read<Trigger> {
    let mut trigger = Trigger {
        bucket,
        events,
        prefix: String::new(),
        suffix: String::new(),
    };
    for rule in at.get("Filter").get("S3Key").get("Rules").items()? {
        let value = rule.get("Value").text()?;
        match rule.get("Name").text()?.to_lowercase().as_str() {
            "prefix" => trigger.prefix = value,
            "suffix" => trigger.suffix = value,
            _ => return Err(rule.get("Name").wrong("prefix or suffix")),
        }
    }
    Ok(trigger)
}

/// Notifications that a bucket's own properties ask for.
fn notify(functions: &mut [Function], bucket: &Resource) -> Read<()> {
    let wanted = properties(bucket).get("NotificationConfiguration");
    for at in wanted.get("LambdaConfigurations").items()? {
        let trigger = filtered(bucket.name.clone(), vec![at.get("Event").text()?], &at)?;
        let of = at.get("Function").text()?;
        named(functions, &of, &at)?.triggers.push(trigger);
    }
    Ok(())
}

/// The function of this name or ARN.
fn named<'a>(functions: &'a mut [Function], of: &str, at: &At) -> Read<&'a mut Function> {
    let mut found = functions.iter_mut();
    let found = found.find(|function| function.arn == of || function.name == of);
    found.ok_or_else(|| at.wrong(&format!("a function of the template, not {of}")))
}
