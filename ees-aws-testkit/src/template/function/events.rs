//! Reads what invokes a function from its properties.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Function, Mapping, OnError, Route, Schedule, Trigger};
use crate::template::read::{At, Read};

/// Reads an optional text.
pub(super) fn optional(at: &At) -> Read<Option<String>> {
    (!at.is_missing()).then(|| at.text()).transpose()
}

/// Reads the ARN of the destination of failures.
pub(super) fn destination(at: &At) -> Read<Option<String>> {
    let on_failure = at.get("DestinationConfig").get("OnFailure");
    optional(&on_failure.get("Destination"))
}

/// Adds an event of a function to the list of its kind.
pub(super) fn add_event(function: &mut Function, id: &str, event: &At) -> Read<()> {
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

/// Reads a mapping of this stream.
pub(super) fn mapping(id: &str, stream: &At, at: &At) -> Read<Mapping> {
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
    // -1 means no limit.
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

/// Reads a trigger with its filter.
pub(super) fn filtered(bucket: String, events: Vec<String>, at: &At) -> Read<Trigger> {
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
