//! The tables: kept, guarded, encrypted, and made as the adapter needs them.

use ees_aws_testkit::template::Template;
use ees_dynamodb::IndexNames;
use serde_json::{Value, json};

use super::{Findings, expect, holds, resource};

fn check(template: &Template) -> Findings {
    let mut findings = Findings::new();
    for (id, name) in [
        ("EventsTable", "ees_db_shop"),
        ("AnalysisTable", "ees_db_shop_analysis"),
    ] {
        let table = resource(template, id);
        for (attribute, expected) in [
            ("DeletionPolicy", "Retain"),
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
            ("/SSESpecification/SSEEnabled", json!(true)),
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
fn tables_are_kept_guarded_and_encrypted() {
    let faults = [
        (
            "    DeletionPolicy: Retain\n    UpdateReplacePolicy: Retain\n    Properties:\n      TableName",
            "    DeletionPolicy: Delete\n    UpdateReplacePolicy: Retain\n    Properties:\n      TableName",
        ),
        (
            "    DeletionPolicy: Retain\n    UpdateReplacePolicy: Retain\n    Properties:\n      TableName",
            "    DeletionPolicy: Retain\n    Properties:\n      TableName",
        ),
        ("BillingMode: PAY_PER_REQUEST", "BillingMode: PROVISIONED"),
        (
            "PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}",
            "",
        ),
        ("DeletionProtectionEnabled: true", ""),
        ("SSESpecification: {SSEEnabled: true}", ""),
        ("TableName: !Sub ees_db_", "TableName: !Sub ees_table_"),
        ("IndexName: EnumerationIndex", "IndexName: EmumerationIndex"),
        ("IndexName: FirstEventId", "IndexName: FirstEvent"),
        ("IndexName: LastEventId", "IndexName: LastEvent"),
    ];
    holds(check, &faults);
}
