//! The tables: kept, guarded, and made as the adapter needs them.

use ees_aws_testkit::Services;
use ees_aws_testkit::template::{Settings, Template};
use ees_dynamodb::{DynamoConfig, DynamoStorage, IndexNames, OpenError};
use serde_json::{Value, json};

use super::{Findings, Given, TEXT, expect, holds_with, resource, settings, with};

fn check(template: &Template) -> Findings {
    let mut findings = Findings::new();
    for (id, name) in [
        ("EventsTable", "ees_db_shop"),
        ("AnalysisTable", "ees_db_shop_analysis"),
    ] {
        let table = resource(template, id);
        for (attribute, expected) in [
            ("DeletionPolicy", "RetainExceptOnCreate"),
            ("UpdateReplacePolicy", "Retain"),
        ] {
            let found = table.attributes.get(attribute).unwrap_or(&Value::Null);
            let what = format!("{id}.{attribute}");
            expect(&mut findings, &what, found, &json!(expected));
        }
        for (path, expected) in [
            ("/TableName", json!(name)),
            ("/BillingMode", json!("PAY_PER_REQUEST")),
            ("/DeletionProtectionEnabled", json!(true)),
            (
                "/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled",
                json!(true),
            ),
        ] {
            let found = table.properties.pointer(path).unwrap_or(&Value::Null);
            expect(&mut findings, &format!("{id}{path}"), found, &expected);
        }
    }
    indexes(template, &mut findings);
    findings
}

/// Indexes have the names that the adapter takes unless told otherwise.
fn indexes(template: &Template, findings: &mut Findings) {
    let events = &resource(template, "EventsTable").properties;
    let names = |indexes: &Value| -> Value {
        let indexes = indexes.as_array().into_iter().flatten();
        indexes.map(|index| index["IndexName"].clone()).collect()
    };
    let wanted = IndexNames::default();
    let local = json!([wanted.first_event, wanted.last_event]);
    let found = names(&events["LocalSecondaryIndexes"]);
    expect(findings, "local indexes", &found, &local);
    let found = names(&events["GlobalSecondaryIndexes"]);
    expect(
        findings,
        "global indexes",
        &found,
        &json!([wanted.enumeration]),
    );
}

#[test]
fn tables_are_kept_and_guarded() {
    let faults = [
        (
            "    DeletionPolicy: RetainExceptOnCreate\n    UpdateReplacePolicy: Retain\n    Properties:\n      TableName",
            "    DeletionPolicy: Delete\n    UpdateReplacePolicy: Retain\n    Properties:\n      TableName",
        ),
        (
            "    DeletionPolicy: RetainExceptOnCreate\n    UpdateReplacePolicy: Retain\n    Properties:\n      TableName",
            "    DeletionPolicy: RetainExceptOnCreate\n    Properties:\n      TableName",
        ),
        ("BillingMode: PAY_PER_REQUEST", "BillingMode: PROVISIONED"),
        (
            "PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}",
            "",
        ),
        (
            "DeletionProtectionEnabled: !If [Protected, true, false]",
            "",
        ),
        ("TableName: !Sub ees_db_", "TableName: !Sub ees_table_"),
        ("IndexName: EnumerationIndex", "IndexName: EmumerationIndex"),
        ("IndexName: FirstEventId", "IndexName: FirstEvent"),
        ("IndexName: LastEventId", "IndexName: LastEvent"),
    ];
    holds_with(&[("Protection", "enabled")], check, &faults);
}

/// A first deployment that fails is rolled back, which protected tables would prevent.
#[test]
fn a_first_deployment_leaves_nothing_behind_when_it_fails() {
    let template = with(&[]);
    for id in ["EventsTable", "AnalysisTable"] {
        let found = &resource(&template, id).properties["DeletionProtectionEnabled"];
        assert_eq!(found, false, "{id}");
    }
    for of in template.resources() {
        let policy = of.attributes.get("DeletionPolicy");
        let kept = policy.is_some_and(|policy| policy == "Retain");
        assert!(!kept, "{} would be left behind", of.id);
    }
}

const WITHOUT_LOCAL_INDEXES: Given = ("LocalIndexes", "false");

/// An attribute that no index has may not be defined.
#[test]
fn a_table_without_local_indexes_defines_nothing_of_them() {
    let template = with(&[WITHOUT_LOCAL_INDEXES]);
    let events = &resource(&template, "EventsTable").properties;
    assert_eq!(events["LocalSecondaryIndexes"], Value::Null);
    let defined = events["AttributeDefinitions"].as_array().unwrap();
    let defined: Vec<_> = defined.iter().map(|of| &of["AttributeName"]).collect();
    assert_eq!(defined, ["stream_id", "changeset_id", "page", "page_item"]);
}

/// Makes what a template says in these services, and opens the store.
async fn open(
    services: &Services,
    stack: &str,
    text: &str,
    parameters: &[Given],
) -> Result<DynamoStorage, OpenError> {
    let settings = Settings {
        stack: stack.to_owned(),
        ..settings(parameters)
    };
    let template = Template::parse(text, &settings).unwrap();
    services.create(&template).await.unwrap();
    let name = &resource(&template, "EventsTable").name;
    let mut config: DynamoConfig = format!("dynamodb://{name}").parse().unwrap();
    config.endpoint.url = Some(services.endpoints().dynamodb.clone());
    DynamoStorage::open(&config, &config.endpoint.sdk_with_key("test", "test")).await
}

#[tokio::test]
async fn the_adapter_takes_the_tables() {
    let services = Services::start().await.expect("services");
    open(&services, "right", TEXT, &[]).await.expect("a store");
    let smaller = open(&services, "smaller", TEXT, &[WITHOUT_LOCAL_INDEXES]).await;
    smaller.expect("a store");
    let faults = [
        ("index", "IndexName: FirstEventId", "IndexName: First"),
        (
            "part",
            "- {AttributeName: page_item, KeyType: RANGE}\n          Projection: {ProjectionType: KEYS_ONLY}",
            "- {AttributeName: page_item, KeyType: RANGE}\n          Projection: {ProjectionType: INCLUDE, NonKeyAttributes: [events]}",
        ),
        ("stream", "NEW_IMAGE", "KEYS_ONLY"),
    ];
    for (stack, right, wrong) in faults {
        let opened = open(&services, stack, &TEXT.replace(right, wrong), &[]).await;
        assert!(
            matches!(opened, Err(OpenError::Table { .. })),
            "{stack}: {opened:?}"
        );
    }
}
