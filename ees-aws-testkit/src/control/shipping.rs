//! Brings what functions write to `CloudWatch`: their lines to a log group of their name, and lines in
//! the embedded metric format to metrics. Alarms are there, and keep the state in which they begin.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::Error;
use crate::function::Function;
use crate::services::Services;
use crate::template::Template;

/// The time between two looks at the functions' logs.
const PERIOD: Duration = Duration::from_millis(500);

/// The log stream of each group.
const STREAM: &str = "local";

/// Ships the logs of these functions until it is dropped.
pub(crate) async fn ship(
    services: Arc<Services>,
    template: Template,
    functions: Vec<Arc<Function>>,
) {
    if let Err(error) = prepare(&services, &template, &functions).await {
        eprintln!("local AWS: CloudWatch gets nothing: {error}");
        return;
    }
    let mut shipped = vec![0; functions.len()];
    loop {
        for (function, shipped) in functions.iter().zip(&mut shipped) {
            let log = function.log();
            let new = log.get(*shipped..).unwrap_or_default();
            let Some(end) = new.rfind('\n') else {
                continue;
            };
            let lines: Vec<_> = new[..end].lines().collect();
            match lines_of(&services, &function.settings().name, &lines).await {
                Ok(()) => *shipped += end + 1,
                Err(error) => eprintln!("local AWS: CloudWatch is late: {error}"),
            }
        }
        sleep(PERIOD).await;
    }
}

/// Creates the log groups and the alarms.
async fn prepare(
    services: &Services,
    template: &Template,
    functions: &[Arc<Function>],
) -> Result<(), Error> {
    for function in functions {
        let group = group(&function.settings().name);
        let asked = json!({ "logGroupName": group });
        services.logs("CreateLogGroup", &asked).await?;
        let asked = json!({"logGroupName": group, "logStreamName": STREAM});
        services.logs("CreateLogStream", &asked).await?;
    }
    for alarm in template.of_type("AWS::CloudWatch::Alarm") {
        let asked = [
            ("AlarmName", alarm.name.as_str()),
            ("ComparisonOperator", "GreaterThanThreshold"),
            ("EvaluationPeriods", "1"),
            ("MetricName", "local"),
            ("Namespace", "local"),
            ("Period", "60"),
            ("Statistic", "Sum"),
            ("Threshold", "0"),
        ];
        services.cloudwatch("PutMetricAlarm", &asked).await?;
    }
    Ok(())
}

fn group(function: &str) -> String {
    format!("/aws/lambda/{function}")
}

async fn lines_of(services: &Services, function: &str, lines: &[&str]) -> Result<(), Error> {
    let now = jiff::Timestamp::now().as_millisecond();
    let events = lines
        .iter()
        .map(|line| json!({"timestamp": now, "message": line}));
    let asked = json!({
        "logGroupName": group(function),
        "logStreamName": STREAM,
        "logEvents": events.collect::<Vec<_>>(),
    });
    services.logs("PutLogEvents", &asked).await?;
    for line in lines {
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        for directive in line["_aws"]["CloudWatchMetrics"]
            .as_array()
            .into_iter()
            .flatten()
        {
            metrics(services, &line, directive).await?;
        }
    }
    Ok(())
}

async fn metrics(services: &Services, line: &Value, directive: &Value) -> Result<(), Error> {
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    let dimension = text(&directive["Dimensions"][0][0]);
    for metric in directive["Metrics"].as_array().into_iter().flatten() {
        let name = text(&metric["Name"]);
        let asked = [
            ("Namespace", text(&directive["Namespace"])),
            ("MetricData.member.1.MetricName", name.clone()),
            ("MetricData.member.1.Unit", text(&metric["Unit"])),
            ("MetricData.member.1.Value", text(&line[&name])),
            (
                "MetricData.member.1.Dimensions.member.1.Name",
                dimension.clone(),
            ),
            (
                "MetricData.member.1.Dimensions.member.1.Value",
                text(&line[&dimension]),
            ),
        ];
        let asked: Vec<_> = asked
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        services.cloudwatch("PutMetricData", &asked).await?;
    }
    Ok(())
}
