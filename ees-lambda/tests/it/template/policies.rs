//! What each function may do: what it does, and nothing else.

use std::collections::BTreeSet;

use ees_aws_testkit::template::{Resource, Template};
use serde_json::{Value, json};

use super::{Findings, TEXT, expect, holds, resource};

const EVENTS: &str = "table/ees_db_shop";
const ANALYSIS: &str = "table/ees_db_shop_analysis";
const ORDER: &str = "table/ees_db_shop/index/EnumerationIndex";
const FIRST: &str = "table/ees_db_shop/index/FirstEventId";
const LAST: &str = "table/ees_db_shop/index/LastEventId";
const STREAM: &str = "table/ees_db_shop/stream/latest";
const STREAMS: &str = "table/ees_db_shop/stream/*";
const BUCKET: &str = "ees-failures-local";
const OBJECTS: &str = "ees-failures-local/*";
const CHANGESETS_TOPIC: &str = "ees_changesets_shop_.fifo";
const EVENTS_TOPIC: &str = "ees_events_shop_.fifo";
const QUEUE: &str = "shop-DeadLetters";

/// Who opens the store: looks at both tables, and at the index state, which a store that holds
/// nothing gets.
const OPENING: [(&str, &[&str]); 4] = [
    ("dynamodb:DescribeTable", &[EVENTS, ANALYSIS]),
    ("dynamodb:GetItem", &[ANALYSIS]),
    ("dynamodb:PutItem", &[ANALYSIS]),
    ("dynamodb:Scan", &[EVENTS]),
];

/// Who reads the global order.
const READING: [(&str, &[&str]); 2] = [
    ("dynamodb:BatchGetItem", &[EVENTS]),
    ("dynamodb:Query", &[ORDER]),
];

/// Who gives positions: reads candidates and writes their places.
const INDEXING: [(&str, &[&str]); 2] = [
    ("dynamodb:BatchGetItem", &[EVENTS]),
    ("dynamodb:UpdateItem", &[EVENTS]),
];

/// Who tells subscribers.
const PUBLISHING: [(&str, &[&str]); 1] = [("sns:Publish", &[CHANGESETS_TOPIC, EVENTS_TOPIC])];

/// What Lambda itself does in the function's name: reads the stream, keeps what failed.
const MAPPED: [(&str, &[&str]); 6] = [
    ("dynamodb:DescribeStream", &[STREAM]),
    ("dynamodb:GetRecords", &[STREAM]),
    ("dynamodb:GetShardIterator", &[STREAM]),
    ("dynamodb:ListStreams", &[STREAMS]),
    ("s3:ListBucket", &[BUCKET]),
    ("s3:PutObject", &[OBJECTS]),
];

type Allowed = &'static [(&'static str, &'static [&'static str])];

/// Each role, and what its function does beside writing its log. A `*` stands only where a name is
/// not known before: an object's key, a stream's label.
const ROLES: [(&str, &[Allowed]); 7] = [
    (
        "Api",
        &[
            &OPENING,
            &[
                ("dynamodb:PutItem", &[EVENTS]),
                ("dynamodb:Query", &[EVENTS, FIRST, LAST, ORDER]),
                // A marker that a restore left behind is moved if its new place is free.
                ("dynamodb:ConditionCheckItem", &[EVENTS]),
                // What a lagging index does not show yet is read by its key.
                ("dynamodb:BatchGetItem", &[EVENTS, ANALYSIS]),
                // Consumers are kept in the analysis table.
                ("dynamodb:BatchWriteItem", &[ANALYSIS]),
                ("dynamodb:DeleteItem", &[ANALYSIS]),
                ("dynamodb:UpdateItem", &[ANALYSIS]),
            ],
        ],
    ),
    ("Indexer", &[&OPENING, &INDEXING, &MAPPED]),
    ("Projector", &[&OPENING, &READING]),
    ("Publisher", &[&PUBLISHING, &MAPPED]),
    (
        "Redrive",
        &[
            &OPENING,
            &INDEXING,
            &PUBLISHING,
            &[
                ("s3:DeleteObject", &[OBJECTS]),
                ("s3:GetObject", &[OBJECTS]),
                ("s3:ListBucket", &[BUCKET]),
                ("s3:PutObject", &[OBJECTS]),
                ("sqs:SendMessage", &[QUEUE]),
            ],
        ],
    ),
    // It reads the order, and writes tiles and the head of the log.
    ("Sealer", &[&OPENING, &READING]),
    ("Sweep", &[&OPENING, &INDEXING]),
];

/// An action on a resource, whose ARN is cut to what the resource is called.
type Permission = (String, String);

fn check(template: &Template) -> Findings {
    let mut findings = Findings::new();
    for (name, allowed) in ROLES {
        let role = resource(template, &format!("{name}Role"));
        let found = permissions(role, &mut findings);
        let log = format!("/aws/lambda/shop-{}:*", name.to_lowercase());
        let logging = ["logs:CreateLogStream", "logs:PutLogEvents"];
        let logging = logging.map(|action| (action.to_owned(), log.clone()));
        let each = allowed.iter().copied().flatten();
        let wanted: BTreeSet<Permission> = each
            .flat_map(|(action, on)| on.iter().map(|on| ((*action).to_owned(), (*on).to_owned())))
            .chain(logging)
            .collect();
        for (action, on) in found.difference(&wanted) {
            findings.push(format!("{name} does not need {action} on {on}"));
        }
        for (action, on) in wanted.difference(&found) {
            findings.push(format!("{name} needs {action} on {on}"));
        }
    }
    only_these(template, &mut findings);
    findings
}

/// What a role of a function allows.
fn permissions(role: &Resource, findings: &mut Findings) -> BTreeSet<Permission> {
    let managed = &role.properties["ManagedPolicyArns"];
    expect(findings, &role.id, managed, &Value::Null);
    let lambda = json!([{
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }]);
    let trusted = &role.properties["AssumeRolePolicyDocument"]["Statement"];
    expect(findings, &role.id, trusted, &lambda);
    let policies = items(&role.properties["Policies"]);
    let statements = policies.flat_map(|policy| items(&policy["PolicyDocument"]["Statement"]));
    let mut found = BTreeSet::new();
    for statement in statements {
        expect(findings, &role.id, &statement["Effect"], &json!("Allow"));
        for action in items(&statement["Action"]).map(text) {
            let on = items(&statement["Resource"]).map(|arn| name_of(text(arn)));
            found.extend(on.map(|on| (action.to_owned(), on.to_owned())));
        }
    }
    found
}

/// What each function may do: its handler, the action, what with.
pub(super) fn granted(template: &Template) -> impl Iterator<Item = (String, String, String)> {
    ROLES.into_iter().flat_map(|(name, _)| {
        let role = resource(template, &format!("{name}Role"));
        let permissions = permissions(role, &mut Findings::new()).into_iter();
        permissions.map(move |(action, on)| (name.to_lowercase(), action, on))
    })
}

/// A list, or the one thing that stands in its place.
fn items(value: &Value) -> std::slice::Iter<'_, Value> {
    match value {
        Value::Array(items) => items.iter(),
        Value::Null => [].iter(),
        one => std::slice::from_ref(one).iter(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// What an ARN of this account calls a resource; any other stays whole.
pub(super) fn name_of(arn: &str) -> &str {
    let here = [
        "arn:aws:dynamodb:us-east-1:123456789012:",
        "arn:aws:logs:us-east-1:123456789012:log-group:",
        "arn:aws:s3:::",
        "arn:aws:sns:us-east-1:123456789012:",
        "arn:aws:sqs:us-east-1:123456789012:",
    ];
    here.iter()
        .find_map(|start| arn.strip_prefix(start))
        .unwrap_or(arn)
}

/// There are no other roles, and no policies beside but those for callers.
fn only_these(template: &Template, findings: &mut Findings) {
    let roles = template
        .of_type("AWS::IAM::Role")
        .map(|role| role.id.as_str());
    let known = ROLES.map(|(name, _)| format!("{name}Role"));
    for role in roles.filter(|id| !known.iter().any(|known| known == id)) {
        findings.push(format!("nobody has the role {role}"));
    }
    for kind in ["AWS::IAM::Policy", "AWS::IAM::RolePolicy"] {
        findings.extend(
            template
                .of_type(kind)
                .map(|it| format!("{} is a {kind}", it.id)),
        );
    }
}

#[test]
fn functions_may_do_what_they_do() {
    let faults = [
        ("Action: dynamodb:DescribeTable", "Action: dynamodb:*"),
        (
            "dynamodb:UpdateItem]",
            "dynamodb:UpdateItem, dynamodb:DeleteItem]",
        ),
        ("dynamodb:UpdateItem]", "dynamodb:Query]"),
        (
            "Action: sns:Publish",
            "Action: [sns:Publish, sns:Subscribe]",
        ),
        (
            "                  - !Ref EventsTopic\n",
            "                  - '*'\n",
        ),
        ("- !GetAtt AnalysisTable.Arn", "- '*'"),
        ("Resource: !GetAtt Failures.Arn", "Resource: arn:aws:s3:::*"),
        ("/index/FirstEventId\"", "/index/*\""),
        (
            "Principal: {Service: lambda.amazonaws.com}",
            "Principal: {Service: ec2.amazonaws.com}",
        ),
        (
            "Action: s3:PutObject",
            "Action: [s3:PutObject, s3:DeleteObject]",
        ),
    ];
    holds(check, &faults);
}

/// Without commits the API may do all the rest.
#[test]
fn nobody_commits_where_commits_are_off() {
    let api = |commits| {
        let template = super::with(&[("Commits", commits)]);
        let role = resource(&template, "ApiRole");
        permissions(role, &mut Findings::new())
    };
    let [on, off] = ["on", "off"].map(api);
    let denied = ["ConditionCheckItem", "PutItem"];
    let denied = denied.map(|action| (format!("dynamodb:{action}"), EVENTS.to_owned()));
    assert_eq!(on.difference(&off).cloned().collect::<Vec<_>>(), denied);
    assert!(off.is_subset(&on));
    let others = |commits| {
        let template = super::with(&[("Commits", commits)]);
        let granted = granted(&template);
        granted.filter(|(function, ..)| function != "api").collect()
    };
    let [on, off]: [Vec<_>; 2] = ["on", "off"].map(others);
    assert_eq!(
        on, off,
        "what was committed gets its position, and is published"
    );
}

/// Nobody deletes a changeset; the Python original's functions could. The API deletes consumers, which
/// are in the analysis table: the roles above say so.
#[test]
fn nobody_may_delete_a_changeset() {
    for (word, count) in [
        ("dynamodb:Delete", 1),
        ("dynamodb:BatchWrite", 1),
        ("dynamodb:PartiQL", 0),
        ("dynamodb:*", 0),
    ] {
        assert_eq!(TEXT.matches(word).count(), count, "{word}");
    }
}
