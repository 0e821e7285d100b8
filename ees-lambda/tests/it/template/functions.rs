//! The functions: one binary, built once; each has a role and a log of its own.

use std::collections::BTreeSet;
use std::time::Duration;

use ees_aws_testkit::template::{Resource, Template};
use serde_json::{Value, json};

use super::{Findings, expect, holds, resource};

/// When a function runs by itself, and what it is told then.
type Schedules = &'static [(Duration, Option<&'static str>)];

/// What each is called by, how long it may take, when it runs by itself, and how often that is
/// repeated if it fails.
const FUNCTIONS: [(&str, Duration, Schedules, u32); 7] = [
    // API Gateway waits for 29 seconds.
    ("api", Duration::from_secs(29), &[], 2),
    ("indexer", Duration::from_mins(1), &[], 2),
    // Less than its period, so that no two count at once.
    (
        "projector",
        Duration::from_secs(55),
        &[(Duration::from_mins(1), None)],
        0,
    ),
    // As long as Lambda lets one run: it may be at a changeset of very many events.
    ("publisher", Duration::from_mins(15), &[], 2),
    (
        "redrive",
        Duration::from_mins(15),
        &[(Duration::from_hours(1), Some("{}"))],
        2,
    ),
    // Less than its period, too.
    (
        "sealer",
        Duration::from_mins(4),
        &[(Duration::from_mins(5), None)],
        2,
    ),
    (
        "sweep",
        Duration::from_mins(15),
        &[
            (Duration::from_hours(7 * 24), None),
            (Duration::from_mins(15), Some(r#"{"continue": true}"#)),
        ],
        2,
    ),
];

fn check(template: &Template) -> Findings {
    let mut findings = Findings::new();
    let mut functions = template.functions().expect("functions");
    functions.sort_by(|a, b| a.handler.cmp(&b.handler));
    let found: Vec<_> = functions
        .iter()
        .map(|it| {
            let own = it.schedules.iter();
            let schedules: Vec<_> = own.map(|it| json!([it.period(), it.input])).collect();
            json!([
                it.name,
                it.handler,
                it.timeout,
                schedules,
                it.async_retries,
                it.memory,
                it.concurrency
            ])
        })
        .collect();
    let wanted = FUNCTIONS.map(|(handler, timeout, schedules, retries)| {
        let name = format!("shop-{handler}");
        json!([name, handler, timeout, schedules, retries, 512, null])
    });
    expect(
        &mut findings,
        "the functions",
        &json!(found),
        &json!(wanted),
    );
    for function in &functions {
        own(template, &function.id, &mut findings);
    }
    built_once(template, &mut findings);
    findings
}

/// Its own role, and its own log, which is kept for as many days as the parameter says.
fn own(template: &Template, id: &str, findings: &mut Findings) {
    let properties = &resource(template, id).properties;
    let name = id.trim_end_matches("Function");
    let role = &resource(template, &format!("{name}Role")).arn;
    expect(
        findings,
        &format!("{id}.Role"),
        &properties["Role"],
        &json!(role),
    );
    let log = resource(template, &format!("{name}Log"));
    let found = &properties["LoggingConfig"];
    let wanted = json!({
        "LogFormat": "JSON",
        "ApplicationLogLevel": "TRACE",
        "SystemLogLevel": "WARN",
        "LogGroup": log.name,
    });
    expect(findings, &format!("{id}'s log"), found, &wanted);
    expect(
        findings,
        &format!("{}.RetentionInDays", log.id),
        &log.properties["RetentionInDays"],
        &json!("30"),
    );
}

/// SAM builds functions together whose code, runtime, architecture and metadata are equal.
fn built_once(template: &Template, findings: &mut Findings) {
    let build = |function: &Resource| {
        let metadata = function.attributes.get("Metadata").unwrap_or(&Value::Null);
        let of = |property: &str| function.properties[property].clone();
        json!([metadata, of("CodeUri"), of("Runtime"), of("Architectures")]).to_string()
    };
    let functions = template.of_type("AWS::Serverless::Function");
    let builds: BTreeSet<_> = functions.map(build).collect();
    let binary =
        json!({"BuildMethod": "rust-cargolambda", "BuildProperties": {"Binary": "ees-lambda"}});
    let wanted = json!([binary, ".", "provided.al2023", ["arm64"]]).to_string();
    if builds != BTreeSet::from([wanted.clone()]) {
        findings.push(format!(
            "the builds are {builds:?}; expected {wanted} alone"
        ));
    }
}

#[test]
fn functions_are_one_binary_with_a_role_and_a_log_each() {
    let faults = [
        ("Handler: ", "Handler: my-"),
        ("Timeout: ", "Timeout: 1"),
        ("MemorySize: 512", "MemorySize: 128"),
        ("FunctionName: !Sub ${AWS::StackName}-", "FunctionName: "),
        ("Role: !GetAtt ApiRole.Arn", "Role: !GetAtt RedriveRole.Arn"),
        ("LoggingConfig: {LogGroup: !Ref SweepLog}", ""),
        (
            "-sweep\n      RetentionInDays: !Ref LogRetentionDays",
            "-sweep",
        ),
        (
            "BuildProperties: {Binary: ees-lambda}",
            "BuildProperties: {Binary: ees}",
        ),
        ("CodeUri: .", "CodeUri: src"),
        ("Architectures: [arm64]", "Architectures: [x86_64]"),
        ("Schedule: rate(1 minute)", "Schedule: rate(1 hour)"),
        ("Schedule: rate(15 minutes)", "Schedule: rate(1 day)"),
        (r#"Input: '{"continue": true}'"#, ""),
        ("MaximumRetryAttempts: 2}", "MaximumRetryAttempts: 0}"),
        ("Default: rate(7 days)", "Default: rate(30 days)"),
        ("ApplicationLogLevel: TRACE", "ApplicationLogLevel: INFO"),
        ("SystemLogLevel: WARN", "SystemLogLevel: INFO"),
    ];
    holds(check, &faults);
}
