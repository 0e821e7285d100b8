//! An alarm for each thing that needs somebody.

use ees_aws_testkit::template::{Resource, Template};
use serde_json::{Value, json};

use super::{Findings, expect, holds, resource, with};

/// Each alarm, and the metrics that it looks at.
fn wanted() -> [(&'static str, Vec<String>); 15] {
    let functions = [
        "api",
        "indexer",
        "projector",
        "publisher",
        "redrive",
        "sealer",
        "sweep",
    ];
    let of_functions = |metric: &str| {
        let each = functions.map(|it| format!("AWS/Lambda {metric} FunctionName=shop-{it}"));
        each.to_vec()
    };
    let of_tables = ["Read", "Write"].into_iter().flat_map(|kind| {
        let metric = format!("AWS/DynamoDB {kind}ThrottleEvents");
        let events = "TableName=ees_db_shop";
        [
            format!("{metric} {events}"),
            format!("{metric} {events} GlobalSecondaryIndexName=EnumerationIndex"),
            format!("{metric} {events}_analysis"),
        ]
    });
    let one = |metric: &str| vec![metric.to_owned()];
    let committed = "AWS/DynamoDB SuccessfulRequestLatency TableName=ees_db_shop Operation=";
    let off = |function: &str| {
        let invoked = format!("AWS/Lambda Invocations FunctionName=shop-{function}");
        let [single, sets] =
            ["PutItem", "TransactWriteItems"].map(|one| format!("{committed}{one}"));
        vec![single, sets, invoked]
    };
    [
        (
            "ApiErrors",
            one("AWS/ApiGateway 5XXError ApiName=shop Stage=Prod"),
        ),
        (
            "DeadLetters",
            one("AWS/SQS ApproximateNumberOfMessagesVisible QueueName=shop-DeadLetters"),
        ),
        (
            "Failures",
            one("ElasticEventStore FailuresLeft Table=ees_db_shop"),
        ),
        ("FunctionErrors", of_functions("Errors")),
        ("FunctionsThrottled", of_functions("Throttles")),
        (
            "IndexLag",
            one("ElasticEventStore IndexLag Table=ees_db_shop"),
        ),
        (
            "IndexerBehind",
            one("AWS/Lambda IteratorAge FunctionName=shop-indexer"),
        ),
        ("IndexerOff", off("indexer")),
        (
            "LostNotifications",
            one("ElasticEventStore UnindexedChangesets Table=ees_db_shop"),
        ),
        (
            "PublisherBehind",
            one("AWS/Lambda IteratorAge FunctionName=shop-publisher"),
        ),
        ("PublisherOff", off("publisher")),
        (
            "RefusedChangesets",
            one("ElasticEventStore RefusedChangesets Table=ees_db_shop"),
        ),
        (
            "SealerFailed",
            one("AWS/Lambda AsyncEventsDropped FunctionName=shop-sealer"),
        ),
        (
            "SweepFailed",
            one("AWS/Lambda AsyncEventsDropped FunctionName=shop-sweep"),
        ),
        ("TablesThrottled", of_tables.collect()),
    ]
}

/// The metrics that an alarm looks at, each as text.
pub(super) fn metrics(alarm: &Resource) -> Vec<String> {
    let properties = &alarm.properties;
    let parts = properties["Metrics"].as_array();
    let measured = parts
        .into_iter()
        .flatten()
        .map(|part| &part["MetricStat"]["Metric"]);
    let own = std::iter::once(properties);
    let mut metrics: Vec<_> = measured.chain(own).filter_map(metric).collect();
    metrics.sort();
    metrics
}

fn metric(of: &Value) -> Option<String> {
    let mut text = format!(
        "{} {}",
        of["Namespace"].as_str()?,
        of["MetricName"].as_str()?
    );
    for dimension in of["Dimensions"].as_array()? {
        let (name, value) = (dimension["Name"].as_str()?, dimension["Value"].as_str()?);
        text.extend([" ", name, "=", value]);
    }
    Some(text)
}

fn check(template: &Template) -> Findings {
    let mut findings = Findings::new();
    let mut alarms: Vec<_> = template.of_type("AWS::CloudWatch::Alarm").collect();
    alarms.sort_by_key(|alarm| &alarm.name);
    let found: Vec<_> = alarms
        .iter()
        .map(|alarm| (&alarm.name, metrics(alarm)))
        .collect();
    let wanted = wanted().map(|(name, mut metrics)| {
        metrics.sort();
        (format!("shop-{name}"), metrics)
    });
    expect(&mut findings, "the alarms", &json!(found), &json!(wanted));
    for alarm in alarms {
        let properties = &alarm.properties;
        if properties["AlarmDescription"]
            .as_str()
            .is_none_or(str::is_empty)
        {
            findings.push(format!("{} is not explained", alarm.id));
        }
        let quiet = &properties["TreatMissingData"];
        expect(&mut findings, &alarm.id, quiet, &json!("notBreaching"));
        expect(
            &mut findings,
            &alarm.id,
            &properties["ComparisonOperator"],
            &json!("GreaterThanThreshold"),
        );
    }
    let failures = &resource(template, "FailuresAlarm").properties;
    let wanted = json!([2, 1]);
    let found = json!([failures["EvaluationPeriods"], failures["DatapointsToAlarm"]]);
    expect(&mut findings, "hours without a run", &found, &wanted);
    let sum = resource(template, "TablesThrottledAlarm").properties["Metrics"][0].clone();
    let filled = (0..6).map(|number| format!("FILL(m{number}, 0)"));
    let filled = filled.collect::<Vec<_>>().join(" + ");
    let found = &sum["Expression"];
    expect(&mut findings, "throttles", found, &json!(filled));
    for function in ["Indexer", "Publisher"] {
        off(
            resource(template, &format!("{function}OffAlarm")),
            &mut findings,
        );
    }
    findings
}

/// A mapping that is off writes no metric: what is committed and not delivered tells of it.
fn off(alarm: &Resource, findings: &mut Findings) {
    let properties = &alarm.properties;
    let part = |place: usize| {
        let part = &properties["Metrics"][place];
        let measured = &part["MetricStat"];
        json!([
            part["Id"],
            part["Expression"],
            measured["Stat"],
            measured["Period"]
        ])
    };
    let of = |name: &str| &properties[name];
    let found = json!([
        part(0),
        part(1),
        part(2),
        part(3),
        of("DatapointsToAlarm"),
        of("EvaluationPeriods")
    ]);
    let expression = "IF(FILL(commits, 0) + FILL(sets, 0) > 0 AND FILL(invocations, 0) == 0, 1, 0)";
    let wanted = json!([
        ["off", expression, null, null],
        ["commits", null, "SampleCount", 300],
        ["sets", null, "SampleCount", 300],
        ["invocations", null, "Sum", 300],
        3,
        12,
    ]);
    expect(findings, &alarm.id, &found, &wanted);
}

#[test]
fn there_is_an_alarm_for_what_needs_somebody() {
    let faults = [
        (
            "Type: AWS::CloudWatch::Alarm",
            "Type: AWS::CloudWatch::CompositeAlarm",
        ),
        ("MetricName: IteratorAge", "MetricName: Duration"),
        ("MetricName: Throttles", "MetricName: Errors"),
        ("Value: !Ref IndexerFunction", "Value: !Ref ApiFunction"),
        ("Value: !Ref ExistingIndex", "Value: EmumerationIndex"),
        ("Namespace: ElasticEventStore", "Namespace: EventStore"),
        ("5XXError", "4XXError"),
        ("FILL(m3, 0)", "m3"),
        ("DatapointsToAlarm: 1", ""),
        ("TreatMissingData: notBreaching", ""),
        ("Stat: SampleCount", "Stat: Average"),
        ("FILL(invocations, 0)", "invocations"),
        ("DatapointsToAlarm: 3", ""),
        (
            "ComparisonOperator: GreaterThanThreshold",
            "ComparisonOperator: LessThanThreshold",
        ),
    ];
    holds(check, &faults);
}

/// An alarm speaks where the parameter says, and nowhere without it.
#[test]
fn alarms_are_told_to_the_topic() {
    let topic = "arn:aws:sns:us-east-1:123456789012:people";
    for (given, wanted) in [("", Value::Null), (topic, json!([topic]))] {
        let template = with(&[("AlarmTopic", given)]);
        for alarm in template.of_type("AWS::CloudWatch::Alarm") {
            for actions in ["AlarmActions", "OKActions"] {
                assert_eq!(alarm.properties[actions], wanted, "{} {actions}", alarm.id);
            }
        }
    }
}

#[test]
fn errors_of_a_function_url_are_watched_as_those_of_an_api() {
    let template = with(&[("Endpoint", "function-url")]);
    let found = metrics(resource(&template, "ApiErrorsAlarm"));
    assert_eq!(found, ["AWS/Lambda Url5xxCount FunctionName=shop-api"]);
}
