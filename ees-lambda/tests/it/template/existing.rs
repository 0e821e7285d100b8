//! A stack over tables that exist, such as restored ones.

use serde_json::Value;

use super::{Given, function, resource, with};

const STREAM: &str =
    "arn:aws:dynamodb:us-east-1:123456789012:table/restored/stream/2026-11-29T00:00:00.000";

const EXISTING: [Given; 2] = [
    ("ExistingStreamArn", STREAM),
    ("ExistingAnalysisTable", "restored-state"),
];

/// All texts of a value.
fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => members.values().for_each(|member| texts(member, found)),
        _ => {}
    }
}

#[test]
fn everything_uses_the_existing_tables() {
    let template = with(&EXISTING);
    assert_eq!(template.of_type("AWS::DynamoDB::Table").count(), 0);
    for handler in ["indexer", "publisher"] {
        assert_eq!(function(&template, handler).mappings[0].stream, STREAM);
    }
    let storage = &function(&template, "api").environment["EES_STORAGE"];
    assert_eq!(
        storage,
        "dynamodb://restored?analysis=restored-state&enumeration_index=EnumerationIndex"
    );
    assert_eq!(template.outputs()["EventsTable"], "restored");
    assert_eq!(template.outputs()["EventsStream"], STREAM);
    assert_eq!(template.outputs()["AnalysisTable"], "restored-state");
    for of in template.resources() {
        let mut found = Vec::new();
        texts(&of.properties, &mut found);
        let own = found.iter().find(|text| text.contains("ees_db_"));
        assert_eq!(own, None, "{} uses a table that is not there", of.id);
    }
    let api = &resource(&template, "ApiRole").properties.to_string();
    for arn in [
        "table/restored\"",
        "table/restored-state\"",
        "table/restored/index/",
    ] {
        assert!(api.contains(arn), "{arn}");
    }
}

/// The index has another name in a table of the Python original.
#[test]
fn everything_uses_the_index_of_an_existing_table() {
    let template = with(&[
        EXISTING[0],
        EXISTING[1],
        ("ExistingIndex", "EmumerationIndex"),
    ]);
    let storage = &function(&template, "api").environment["EES_STORAGE"];
    assert!(
        storage.ends_with("&enumeration_index=EmumerationIndex"),
        "{storage}"
    );
    let mut named = 0;
    for of in template.resources() {
        let mut found = Vec::new();
        texts(&of.properties, &mut found);
        let other = found.iter().find(|text| text.contains("EnumerationIndex"));
        assert_eq!(other, None, "{} uses an index that is not there", of.id);
        named += usize::from(found.iter().any(|text| text.contains("EmumerationIndex")));
    }
    assert!(named >= 4, "the roles and the alarm: {named}");
}
