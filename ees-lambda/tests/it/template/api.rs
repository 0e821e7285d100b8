//! The API: signed unless told otherwise, everything to one function, nothing of payloads in logs.

use std::collections::BTreeSet;

use ees_aws_testkit::template::Template;
use serde_json::{Value, json};

use super::{Findings, expect, function, holds_with, resource, with};

fn check(template: &Template) -> Findings {
    let mut findings = Findings::new();
    let api = &resource(template, "Api").properties;
    for (property, expected) in [
        ("StageName", json!("Prod")),
        (
            "Auth",
            json!({"DefaultAuthorizer": "AWS_IAM", "InvokeRole": "NONE"}),
        ),
        // Bodies come as they were sent.
        ("BinaryMediaTypes", json!(["*~1*"])),
    ] {
        let found = api.get(property).unwrap_or(&Value::Null);
        expect(&mut findings, property, found, &expected);
    }
    let routes = function(template, "api").routes;
    let routes: BTreeSet<_> = routes.iter().map(|it| (&*it.path, &*it.method)).collect();
    if routes != BTreeSet::from([("/", "ANY"), ("/{proxy+}", "ANY")]) {
        findings.push(format!("the routes are {routes:?}"));
    }
    access_log(template, &mut findings);
    findings
}

/// What API Gateway may log of a request: who, when, how it went.
const LOGGED: [&str; 11] = [
    "error.responseType",
    "httpMethod",
    "identity.sourceIp",
    "identity.userArn",
    "integrationLatency",
    "integrationStatus",
    "requestId",
    "requestTimeEpoch",
    "responseLatency",
    "responseLength",
    "status",
];

fn access_log(template: &Template, findings: &mut Findings) {
    let log = &resource(template, "Api").properties["AccessLogSetting"];
    let format = log["Format"].as_str().unwrap_or_default();
    let fields: Result<serde_json::Map<_, _>, _> = serde_json::from_str(format);
    let mut fields: Vec<_> = match &fields {
        Ok(fields) => fields.values().filter_map(Value::as_str).collect(),
        Err(error) => {
            findings.push(format!("the access log is not JSON: {error}"));
            return;
        }
    };
    fields.sort_unstable();
    let wanted = LOGGED.map(|field| format!("$context.{field}"));
    expect(findings, "the access log", &json!(fields), &json!(wanted));
    let group = template.resource("AccessLog");
    let days = group.map_or(Value::Null, |group| {
        group.properties["RetentionInDays"].clone()
    });
    expect(findings, "the access log is kept for", &days, &json!("30"));
}

#[test]
fn the_api_is_signed_and_its_log_holds_no_payload() {
    let faults = [
        ("DefaultAuthorizer: !Ref Authorization", ""),
        ("InvokeRole: NONE", ""),
        ("Default: AWS_IAM", "Default: NONE"),
        ("StageName: Prod", "StageName: Stage"),
        (
            "BinaryMediaTypes: [\"*~1*\"]",
            "BinaryMediaTypes: [image~1png]",
        ),
        ("          /{proxy+}:", "          /streams:"),
        ("x-amazon-apigateway-any-method:", "get:"),
        ("$context.status", "$input.body"),
        ("\"caller\":", "\"path\":\"$context.path\",\"caller\":"),
        (
            "apigateway/${AWS::StackName}\n      RetentionInDays: !Ref LogRetentionDays",
            "x",
        ),
    ];
    holds_with(&[("AccessLogs", "enabled")], check, &faults);
}

#[test]
fn parameters_open_the_api_and_choose_its_log() {
    let open = with(&[("Authorization", "NONE")]);
    assert_eq!(
        resource(&open, "Api").properties["Auth"]["DefaultAuthorizer"],
        "NONE"
    );
    for (logs, logged) in [("enabled", true), ("disabled", false)] {
        let template = with(&[("AccessLogs", logs)]);
        let setting = &resource(&template, "Api").properties["AccessLogSetting"];
        let group = template.resource("AccessLog").is_ok();
        assert_eq!((setting.is_object(), group), (logged, logged), "{logs}");
    }
    let url = with(&[("Endpoint", "function-url"), ("AccessLogs", "enabled")]);
    assert!(
        url.resource("AccessLog").is_err(),
        "a function URL has none"
    );
}
